/* How precise a format has to be for updates to arrive, its range of exponents aside. */
#ifndef PRECHECK_REPORT_BITS_H
#define PRECHECK_REPORT_BITS_H

#include "report/report.h"

enum { BITS_LEAST = 2, BITS_MOST = 53 };

/* The significand bits that would keep 99 % of the updates of one cast. */
struct bits {
    bool known;      /* there is a threshold that halves with each bit more; else nothing of this */
    bool enough;     /* the cast itself loses no more than 1 % */
    bool its_own;    /* that is so, and with no bit fewer as far as thresholds tell */
    int least;       /* from BITS_LEAST to BITS_MOST; 0: more than that */
    bool has_format; /* some named format has as many: */
    struct format format; /* the narrowest of them, else the most precise format */
};

/* Whether thresholds tell anything: the updates are all the same number, rounding is to nearest,
 * and for one of the casts bits are known. */
bool bits_apply(const struct report *report, const struct report_cast *casts);
struct bits bits_of(const struct report *report, const struct report_cast *cast);

/* Where all updates are this number: the least exponent from which on no element of the cast can
 * move. False where none is known: for no update, and for rounding that is not to nearest. */
bool bits_frozen_from(const struct cast *cast, double update, int *exponent);

/* The least number of significand bits with which updates of this size pass a threshold that is
 * `threshold` with `precision` bits; 0 where none does. */
int bits_to_keep(int precision, double threshold, double update);
/* The named format of the fewest bits (then of the least precision) with at least this precision;
 * false with the most precise one where none has it. */
bool bits_narrowest(int precision, struct format *format);

#endif

/* The header of a .npy file, apart from the file: archives hold such files too. */
#ifndef PRECHECK_INPUT_NPY_H
#define PRECHECK_INPUT_NPY_H

#include "input/input.h"

/* More than writers need for anything that is accepted here. */
enum { NPY_HEADER_LIMIT = 65536 };

/* The bytes before the header. */
struct npy_preamble {
    unsigned version;
    size_t header_start;
    size_t header_length;
};

/* The Python literal: its three values. */
struct npy_literal {
    const char *descr; /* in the text that was parsed */
    size_t descr_length;
    bool fortran;
    unsigned rank;
    uint64_t shape[RANK_LIMIT];
};

/* What the literal means. */
struct npy {
    struct tensor tensor; /* name and offset are the caller's; the shape is `shape` */
    uint64_t shape[RANK_LIMIT];
    /* There is no tensor to cast, but elements of `tensor.dtype`, of which only name and bytes
     * count; or, where it has none, of this type. */
    bool skipped;
    char dtype[24];
    uint64_t bytes;   /* that the data take */
    const char *note; /* something the user should know, or NULL */
};

bool npy_recognise(const unsigned char *head, size_t length);
/* `head` is the first 16 bytes, or all there are. */
bool npy_preamble_parse(const unsigned char *head, size_t length, struct npy_preamble *preamble,
                        struct error *error);
bool npy_literal_parse(const char *text, size_t length, unsigned version,
                       struct npy_literal *literal, struct error *error);
bool npy_interpret(const struct npy_literal *literal, const struct dtype *view, struct npy *npy,
                   struct error *error);

/* Adds what was interpreted to the input: to the tensors or to what is skipped. The name, what is
 * in `npy->tensor` of offset and member, and nothing else become the input's. */
void npy_add(struct input *input, char *name, const struct npy *npy);

#endif

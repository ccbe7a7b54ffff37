/* What the numeric tests share: cmocka, seeded randomness, and the formats under test. To be
 * included last: cmocka's fail() is a macro. */
#ifndef PRECHECK_TESTS_KERNEL_TESTING_H
#define PRECHECK_TESTS_KERNEL_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "format/cast.h"

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Fixed unless PRECHECK_TEST_SEED says otherwise: a test that fails must fail again. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("PRECHECK_TEST_SEED");
    return text && *text ? strtoull(text, NULL, 0) : 20240229;
}

static inline void print_seed(void)
{
    printf("# PRECHECK_TEST_SEED=%llu\n", (unsigned long long)test_seed());
    fflush(stdout);
}

static inline bool test_exhaustively(void)
{
    const char *text = getenv("PRECHECK_EXHAUSTIVE");
    return text && *text && strcmp(text, "0") != 0;
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). */
struct dice {
    uint64_t state;
};

static inline uint64_t dice_u64(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Every use has its own, so that one test does not depend on which others ran. */
static inline struct dice dice_for(const char *use)
{
    struct dice dice = {test_seed()};
    for (; *use; use++)
        dice.state = dice_u64(&dice) ^ (unsigned char)*use;
    return dice;
}

/* Below n, for n far smaller than 2^64. */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return dice_u64(dice) % n;
}

static inline int dice_between(struct dice *dice, int low, int high)
{
    return low + (int)dice_below(dice, (uint64_t)(high - low + 1));
}

/* In 0 <= r < 1. */
static inline double dice_real(struct dice *dice)
{
    return (double)(dice_u64(dice) >> 11) * 0x1p-53;
}

static inline struct format format_by_name(const char *name)
{
    struct format format;
    struct error error;
    if (!format_find(name, strlen(name), &format, &error))
        fail_msg("%s", error.text);
    return format;
}

/* The named formats, then generic ones at the borders of what a kernel treats alike: 22 is the
 * largest precision that float32 arithmetic can round to, 24 that of float32. */
static inline struct format test_format(size_t index)
{
    static const char *const generic[] = {
        "e2m2", "e2m7", "e2m22", "e2m23", "e3m1", "e3m7", "e4m1",  "e4m10", "e4m21", "e5m1",
        "e5m5", "e5m7", "e6m9",  "e6m23", "e7m2", "e8m1", "e8m15", "e8m20", "e8m21", "e8m22",
    };
    if (index < FORMAT_NAMED_COUNT)
        return format_named(index);
    index -= FORMAT_NAMED_COUNT;
    return index < LENGTH(generic) ? format_by_name(generic[index]) : (struct format){.name = ""};
}

static inline size_t test_format_count(void)
{
    size_t count = 0;
    while (*test_format(count).name)
        count++;
    return count;
}

#endif

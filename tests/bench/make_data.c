/* Makes the data of the benchmarks, the same every time:  make_data KIND ELEMENTS FILE */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* xoshiro256++ (Blackman, Vigna), seeded through splitmix64. */
struct random {
    uint64_t state[4];
    double spare; /* the second of a pair of normal numbers */
    int has_spare;
};

static void seed(struct random *random, uint64_t value)
{
    *random = (struct random){.has_spare = 0};
    for (int i = 0; i < 4; i++) {
        uint64_t z = value += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        random->state[i] = z ^ z >> 31;
    }
}

static uint64_t rotate(uint64_t x, int count)
{
    return x << count | x >> (64 - count);
}

static uint64_t bits(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Marsaglia's polar method. */
static double normal(struct random *random)
{
    if (random->has_spare) {
        random->has_spare = 0;
        return random->spare;
    }
    double u, v, s;
    do {
        u = (double)((int64_t)bits(random) >> 11) * 0x1p-52;
        v = (double)((int64_t)bits(random) >> 11) * 0x1p-52;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    double factor = sqrt(-2 * log(s) / s);
    random->spare = v * factor;
    random->has_spare = 1;
    return u * factor;
}

static double weight(struct random *random)
{
    return normal(random) * 0.05;
}

static void make_weight(struct random *random, void *to)
{
    *(float *)to = (float)weight(random);
}

static void make_weight_f64(struct random *random, void *to)
{
    *(double *)to = weight(random);
}

static void make_weight_bf16(struct random *random, void *to)
{
    float x = (float)weight(random);
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    *(uint16_t *)to = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16); /* nearest even */
}

static void make_gradient(struct random *random, void *to)
{
    uint32_t u = (uint32_t)((bits(random) >> 32) * 30 >> 32);
    *(float *)to = (float)(normal(random) / (double)(UINT32_C(1) << u));
}

static void make_constant(struct random *random, void *to)
{
    (void)random;
    *(float *)to = 0.1F;
}

static void make_bits(struct random *random, void *to)
{
    *(uint32_t *)to = (uint32_t)(bits(random) >> 32);
}

static const struct kind {
    const char *name;
    size_t bytes;
    const char *npy; /* its type in an .npy header; NULL: no header */
    void (*make)(struct random *random, void *to);
} kinds[] = {
    {"weights", 4, "<f4", make_weight},        {"gradients", 4, "<f4", make_gradient},
    {"constant", 4, "<f4", make_constant},     {"bits", 4, "<f4", make_bits},
    {"weights-f64", 8, NULL, make_weight_f64}, {"weights-bf16", 2, NULL, make_weight_bf16},
};

static void write_header(FILE *file, const char *type, unsigned long long elements)
{
    char text[119];
    int length =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,), }",
                 type, elements);
    fprintf(file, "\x93NUMPY%c%c%c%c%.*s%*s\n", 1, 0, 118, 0, length, text, 117 - length, "");
}

static int write_elements(FILE *file, const struct kind *kind, unsigned long long elements)
{
    enum { BATCH = 1024 };
    char *batch = malloc(BATCH * kind->bytes);
    struct random random;
    if (!batch)
        return 0;
    seed(&random, 20240229);
    while (elements > 0) {
        size_t n = elements < BATCH ? (size_t)elements : BATCH;
        for (size_t i = 0; i < n; i++)
            kind->make(&random, (char *)batch + i * kind->bytes);
        fwrite(batch, kind->bytes, n, file);
        elements -= n;
    }
    free(batch);
    return 1;
}

int main(int argc, char **argv)
{
    const struct kind *kind = NULL;
    for (size_t k = 0; argc == 4 && k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(argv[1], kinds[k].name) == 0)
            kind = &kinds[k];
    if (!kind) {
        fprintf(stderr, "usage: make_data KIND ELEMENTS FILE\n");
        return 2;
    }
    unsigned long long elements = strtoull(argv[2], NULL, 10);
    FILE *file = fopen(argv[3], "wb");
    int written = 0;
    if (file) {
        setvbuf(file, NULL, _IOFBF, 4 << 20);
        if (kind->npy)
            write_header(file, kind->npy, elements);
        written = write_elements(file, kind, elements);
    }
    /* Written back now, that it is not while something is measured. */
    if (!written || fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
        return 2;
    }
    return 0;
}

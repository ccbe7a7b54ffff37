/* The elements of tensors with strides, and of members with a checksum. */
#include "places.h"

#include <zlib.h>

#include "base/bytes.h"
#include "input/container.h"

/* A file of bytes that tell where they are. */

enum { STORAGE = 40000, OFFSET = 6 }; /* elements, and the bytes before them */

static struct input storage;
static struct place storage_place;

static void open_raw(const char *path, struct input *input)
{
    struct raw_layout layout;
    struct error error = {""};
    if (!raw_layout_parse("e5m2", &layout, &error) ||
        !input_open(path, &(struct input_options){.raw = &layout}, input, &error))
        fail_msg("%s", error.text);
}

static int open_storage(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    buffer_add(&bytes, "before", OFFSET);
    for (uint32_t i = 0; i < STORAGE; i++)
        buffer_add(&bytes, &i, sizeof i);
    storage_place = place_of(bytes.data, bytes.length);
    open_raw(storage_place.path, &storage);
    buffer_free(&bytes);
    return 0;
}

static int close_storage(void **state)
{
    (void)state;
    input_close(&storage);
    close(storage_place.descriptor);
    return 0;
}

/* Tensors of it. `first` is the element of the storage where all indices are 0. */

static struct tensor strided(unsigned rank, const uint64_t *shape, const uint64_t *strides,
                             uint64_t first)
{
    struct tensor tensor = {.dtype = dtype_named("f32"), .rank = rank, .elements = 1};
    tensor.shape = (uint64_t *)shape; /* not freed */
    tensor.strides = (uint64_t *)strides;
    tensor.offset = OFFSET + first * sizeof(uint32_t);
    for (unsigned i = 0; i < rank; i++)
        tensor.elements *= strides[i] ? shape[i] : 1;
    return tensor;
}

static uint64_t last_of(const struct tensor *tensor)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < tensor->rank; i++)
        at += (tensor->shape[i] - 1) * tensor->strides[i];
    return at;
}

/* How often the tensor has each element of the storage, by walking over all its indices. */
static unsigned char *count_by_index(const struct tensor *tensor)
{
    unsigned char *counts = allocate(STORAGE, 1);
    uint64_t index[RANK_LIMIT] = {0}, at = (tensor->offset - OFFSET) / sizeof(uint32_t);
    unsigned axis;
    do {
        counts[at]++;
        for (axis = tensor->rank; axis-- > 0;) {
            uint64_t size = tensor->strides[axis] ? tensor->shape[axis] : 1;
            at += tensor->strides[axis];
            if (++index[axis] < size)
                break;
            at -= size * tensor->strides[axis];
            index[axis] = 0;
        }
    } while (axis < tensor->rank);
    return counts;
}

/* From one index to the next, one axis moves on by one, and those that start again are faster: of a
 * smaller stride, or of the same and later. */
static void check_step(const struct tensor *tensor, const uint64_t *before, const uint64_t *index)
{
    unsigned moved = tensor->rank;
    for (unsigned i = 0; i < tensor->rank; i++)
        if (index[i] > before[i]) {
            assert_int_equal(moved, tensor->rank);
            assert_int_equal(index[i], before[i] + 1);
            moved = i;
        }
    assert_true(moved < tensor->rank);
    for (unsigned i = 0; i < tensor->rank; i++)
        if (index[i] < before[i]) {
            assert_int_equal(index[i], 0);
            assert_true(tensor->strides[i] < tensor->strides[moved] ||
                        (tensor->strides[i] == tensor->strides[moved] && i > moved));
        }
}

static void check_whole(struct tensor *tensor, const struct buffer *expected)
{
    struct elements elements;
    struct error error = {""};
    char *whole = allocate(expected->length, 1);
    assert_true(elements_open(&storage, tensor, &elements, &error));
    assert_true(elements_read(&elements, 0, (size_t)tensor->elements, whole, &error));
    assert_memory_equal(whole, expected->data, expected->length);
    elements_close(&elements);
    free(whole);
}

/* Every element is read as often as the indices reach it, from where tensor_index tells, and in
 * storage order. */
static void check(const struct tensor *tensor)
{
    struct tensor copy = *tensor;
    struct buffer data = {0};
    struct error error = {""};
    if (!read_tensor(&storage, &copy, &data, &error))
        fail_msg("%s", error.text);
    assert_int_equal(data.length, tensor->elements * sizeof(uint32_t));
    check_whole(&copy, &data);

    unsigned char *counts = count_by_index(tensor);
    uint64_t before[RANK_LIMIT], index[RANK_LIMIT];
    uint64_t first = (tensor->offset - OFFSET) / sizeof(uint32_t);
    for (uint64_t i = 0; i < tensor->elements; i++) {
        uint64_t at = first;
        uint32_t value = load_le32(data.data + i * sizeof value);
        tensor_index(tensor, i, index);
        for (unsigned axis = 0; axis < tensor->rank; axis++) {
            assert_true(index[axis] < tensor->shape[axis]);
            at += index[axis] * tensor->strides[axis];
        }
        assert_int_equal(value, at);
        assert_true(counts[value]-- > 0);
        if (tensor_is_consecutive(tensor))
            assert_int_equal(value, first + i);
        if (i > 0)
            check_step(tensor, before, index);
        memcpy(before, index, sizeof index);
    }
    free(counts);
    buffer_free(&data);
}

#define NUMBERS(...) ((const uint64_t[]){__VA_ARGS__})

static const struct layout {
    const char *what;
    unsigned rank;
    const uint64_t *shape, *strides;
    bool consecutive;
} layouts[] = {
    {"a vector", 1, NUMBERS(7), NUMBERS(1), true},
    {"every third", 1, NUMBERS(7), NUMBERS(3), false},
    {"a scalar, repeated", 1, NUMBERS(7), NUMBERS(0), true},
    {"a scalar", 0, NUMBERS(0), NUMBERS(0), true},
    {"a matrix", 2, NUMBERS(5, 7), NUMBERS(7, 1), true},
    {"transposed", 2, NUMBERS(7, 5), NUMBERS(1, 7), true},
    {"some columns", 2, NUMBERS(5, 3), NUMBERS(7, 1), false},
    {"some rows, transposed", 2, NUMBERS(3, 5), NUMBERS(1, 7), false},
    {"every other column", 2, NUMBERS(5, 3), NUMBERS(7, 2), false},
    {"the diagonal", 1, NUMBERS(5), NUMBERS(8), false},
    {"a row, repeated", 2, NUMBERS(5, 7), NUMBERS(0, 1), true},
    {"a column, repeated", 2, NUMBERS(5, 7), NUMBERS(7, 0), false},
    {"windows", 2, NUMBERS(6, 4), NUMBERS(1, 1), false},
    {"windows, two apart", 2, NUMBERS(6, 4), NUMBERS(2, 1), false},
    {"windows that only touch", 2, NUMBERS(6, 4), NUMBERS(4, 1), true},
    {"windows on the faster axis", 2, NUMBERS(3, 4), NUMBERS(5, 2), false},
    {"3-D: 012", 3, NUMBERS(2, 3, 4), NUMBERS(12, 4, 1), true},
    {"3-D: 021", 3, NUMBERS(2, 4, 3), NUMBERS(12, 1, 4), true},
    {"3-D: 102", 3, NUMBERS(3, 2, 4), NUMBERS(4, 12, 1), true},
    {"3-D: 120", 3, NUMBERS(3, 4, 2), NUMBERS(4, 1, 12), true},
    {"3-D: 201", 3, NUMBERS(4, 2, 3), NUMBERS(1, 12, 4), true},
    {"3-D: 210", 3, NUMBERS(4, 3, 2), NUMBERS(1, 4, 12), true},
    {"3-D: 210 of a larger one", 3, NUMBERS(4, 3, 2), NUMBERS(2, 10, 100), false},
    {"axes of one element, of any stride", 4, NUMBERS(1, 5, 1, 7), NUMBERS(999, 7, 0, 1), true},
    {"a repeated one amid others", 3, NUMBERS(5, 9, 7), NUMBERS(7, 0, 1), true},
    {"a column of a wide matrix", 2, NUMBERS(9, 1), NUMBERS(4321, 1), false},
    {"columns of a wide matrix", 2, NUMBERS(9, 3), NUMBERS(4321, 1), false},
    {"columns, in pieces of what is read", 2, NUMBERS(40, 5), NUMBERS(999, 2), false},
    {"all but the last column", 2, NUMBERS(199, 199), NUMBERS(200, 1), false},
};

static void test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const struct layout *l = &layouts[i];
        struct tensor tensor = strided(l->rank, l->shape, l->strides, i % 3);
        if (tensor_is_consecutive(&tensor) != l->consecutive)
            fail_msg("%s", l->what);
        check(&tensor);
    }
}

/* Any four axes. The sequence is fixed. */
static uint64_t drawn(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static void test_any_layout(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        uint64_t shape[4], strides[4];
        unsigned rank = (unsigned)drawn(&seed, 5);
        for (unsigned axis = 0; axis < rank; axis++) {
            shape[axis] = 1 + drawn(&seed, 5);
            strides[axis] = drawn(&seed, 3) ? drawn(&seed, 20) : drawn(&seed, 2000);
        }
        struct tensor tensor = strided(rank, shape, strides, drawn(&seed, 10));
        assert_true(last_of(&tensor) + 10 < STORAGE);
        check(&tensor);
    }
}

/* The last element is the last of the file: nothing behind it is read. */
static void test_layouts_at_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const struct layout *l = &layouts[i];
        struct tensor tensor = strided(l->rank, l->shape, l->strides, 0);
        tensor.offset += (STORAGE - 1 - last_of(&tensor)) * sizeof(uint32_t);
        check(&tensor);
    }
}

static void test_what_is_beyond_the_end(void **state)
{
    (void)state;
    struct tensor tensor = strided(2, NUMBERS(5, 3), NUMBERS(7, 2), STORAGE - 32);
    struct buffer data = {0};
    struct error error = {""};
    assert_false(read_tensor(&storage, &tensor, &data, &error));
    assert_string_equal(error.text, "truncated: ends at byte 160006, before byte 160010");
    buffer_free(&data);
}

/* Members. */

enum { MEMBER_BYTES = 30000 };

struct file {
    unsigned char bytes[MEMBER_BYTES];
    struct place place;
    struct input input;
    struct member member;
    struct tensor tensor;
};

/* A stored member that is all of a file, with the elements somewhere in it. */
static struct file *open_member(uint64_t start, uint64_t elements)
{
    struct file *file = allocate(1, sizeof *file);
    uint64_t seed = 2;
    for (size_t i = 0; i < MEMBER_BYTES; i++)
        file->bytes[i] = (unsigned char)drawn(&seed, 256);
    file->place = place_of(file->bytes, MEMBER_BYTES);
    open_raw(file->place.path, &file->input);
    file->member = (struct member){.packed = MEMBER_BYTES,
                                   .bytes = MEMBER_BYTES,
                                   .start = start,
                                   .crc = (uint32_t)crc32(0, file->bytes, MEMBER_BYTES)};
    file->tensor = (struct tensor){.dtype = dtype_named("f32"),
                                   .rank = 1,
                                   .elements = elements,
                                   .shape = copy_numbers(&elements, 1),
                                   .offset = start,
                                   .member = &file->member};
    return file;
}

static void close_member(struct file *file)
{
    free(file->tensor.shape);
    input_close(&file->input);
    close(file->place.descriptor);
    free(file);
}

/* Reads, or sees, elements in the order of a permutation of pieces. */
static bool cover(struct file *file, bool backward, bool saw, struct error *error)
{
    enum { PIECE = 113 };
    struct elements elements;
    char to[PIECE * sizeof(uint32_t)];
    uint64_t count = file->tensor.elements, pieces = (count + PIECE - 1) / PIECE;
    assert_true(elements_open(&file->input, &file->tensor, &elements, error));
    assert_true(elements.mappable);
    assert_false(elements_in_sequence(&elements));
    for (uint64_t i = 0; i < pieces; i++) {
        uint64_t first = (backward ? pieces - 1 - i : i) * PIECE;
        size_t n = count - first < PIECE ? (size_t)(count - first) : PIECE;
        const unsigned char *bytes = file->bytes + file->member.start + first * sizeof(uint32_t);
        if (saw && i % 3) {
            elements_saw(&elements, first, n, bytes);
            continue;
        }
        assert_true(elements_read(&elements, first, n, to, error));
        assert_memory_equal(to, bytes, n * sizeof(uint32_t));
    }
    bool ok = elements_finish(&elements, error);
    elements_close(&elements);
    return ok;
}

static const struct {
    uint64_t start, elements;
} extents[] = {{0, 7500}, {0, 0}, {128, 1}, {1, 7499}, {9999, 5000}, {30000, 0}, {29996, 1}};

static void test_checksums_in_any_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        for (int way = 0; way < 4; way++) {
            struct file *file = open_member(extents[i].start, extents[i].elements);
            struct error error = {""};
            if (!cover(file, way & 1, way & 2, &error))
                fail_msg("%s", error.text);
            file->member.crc ^= 1;
            assert_false(cover(file, way & 1, way & 2, &error));
            close_member(file);
        }
}

/* A member that ends after its elements, of a file that does not: what is behind does not count. */
static void test_checksum_of_a_part(void **state)
{
    (void)state;
    struct file *file = open_member(100, 50);
    struct error error = {""};
    file->member.offset = 1000;
    file->member.bytes = file->member.packed = 100 + 50 * sizeof(uint32_t);
    file->member.crc = (uint32_t)crc32(0, file->bytes + 1000, (uInt)file->member.bytes);
    file->tensor.offset = 1100;
    struct buffer data = {0};
    if (!read_tensor(&file->input, &file->tensor, &data, &error))
        fail_msg("%s", error.text);
    assert_memory_equal(data.data, file->bytes + 1100, data.length);
    buffer_free(&data);
    close_member(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_any_layout),
        cmocka_unit_test(test_layouts_at_the_end),
        cmocka_unit_test(test_what_is_beyond_the_end),
        cmocka_unit_test(test_checksums_in_any_order),
        cmocka_unit_test(test_checksum_of_a_part),
    };
    return cmocka_run_group_tests(tests, open_storage, close_storage);
}

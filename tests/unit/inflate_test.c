/* Deflated members, and checksums. */
#include "places.h"

#include <zlib.h>

#include "input/inflate.h"

enum { BEFORE = 3 }; /* bytes of the file before the member */

struct file {
    struct place place;
    struct input input;
    struct member member;
};

/* Runs of one byte amid bytes without order. */
static struct buffer made_up(size_t count)
{
    struct buffer data = {0};
    uint64_t seed = 3;
    buffer_puts(&data, "");
    while (data.length < count) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        char bytes[300];
        memset(bytes, (int)(seed >> 56), sizeof bytes);
        size_t length = seed >> 36 & 63 ? 1 : 1 + (seed >> 42) % sizeof bytes;
        buffer_add(&data, bytes, length < count - data.length ? length : count - data.length);
    }
    return data;
}

static struct buffer deflated(const struct buffer *data, int level, int strategy)
{
    struct buffer packed = {0};
    z_stream stream = {0};
    unsigned char part[4096];
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 8, strategy), Z_OK);
    stream.next_in = (unsigned char *)data->data;
    stream.avail_in = (uInt)data->length;
    int status = Z_OK;
    while (status == Z_OK) {
        stream.next_out = part;
        stream.avail_out = sizeof part;
        status = deflate(&stream, Z_FINISH);
        buffer_add(&packed, part, sizeof part - stream.avail_out);
    }
    assert_int_equal(status, Z_STREAM_END);
    deflateEnd(&stream);
    return packed;
}

static void open_file(const struct buffer *packed, const struct buffer *data, struct file *file)
{
    struct buffer bytes = {0};
    struct raw_layout layout;
    struct error error = {""};
    buffer_add(&bytes, "abc", BEFORE);
    buffer_add(&bytes, packed->data, packed->length);
    buffer_add(&bytes, "behind", 6);
    file->place = place_of(bytes.data, bytes.length);
    assert_true(raw_layout_parse("e5m2", &layout, &error));
    assert_true(input_open(file->place.path, &(struct input_options){.raw = &layout}, &file->input,
                           &error));
    file->member =
        (struct member){.offset = BEFORE,
                        .packed = packed->length,
                        .bytes = data->length,
                        .crc = (uint32_t)crc32(0, (void *)data->data, (uInt)data->length),
                        .deflated = true};
    buffer_free(&bytes);
}

static void close_file(struct file *file)
{
    input_close(&file->input);
    close(file->place.descriptor);
}

/* Reads `count` bytes in pieces, and then finishes. */
static bool inflate_all(struct file *file, size_t count, size_t piece, char *to,
                        struct error *error)
{
    struct inflater *inflater = inflater_open(&file->input, &file->member);
    bool ok = true;
    for (size_t done = 0; ok && done < count; done += piece) {
        size_t part = count - done < piece ? count - done : piece;
        ok = inflater_read(inflater, to + done, part, error);
    }
    ok = ok && inflater_finish(inflater, error);
    inflater_close(inflater);
    return ok;
}

static void check_pieces(struct file *file, const struct buffer *data)
{
    static const size_t pieces[] = {1 << 20, 1, 7, 4096, 65535};
    char *to = allocate(data->length, 1);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct error error = {""};
        if (!inflate_all(file, data->length, pieces[i], to, &error))
            fail_msg("%zu bytes in pieces of %zu: %s", data->length, pieces[i], error.text);
        assert_memory_equal(to, data->data, data->length);
        assert_true(inflate_all(file, data->length / 2, pieces[i], to, &error));
        assert_true(inflate_all(file, 0, 1, to, &error));
    }
    free(to);
}

static void test_members(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 100, 16383, 16384, 16385, 65536, 600000};
    static const int ways[][2] = {{0, Z_DEFAULT_STRATEGY},
                                  {1, Z_DEFAULT_STRATEGY},
                                  {9, Z_DEFAULT_STRATEGY},
                                  {9, Z_HUFFMAN_ONLY},
                                  {9, Z_FIXED}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
            struct buffer data = made_up(sizes[i]);
            struct buffer packed = deflated(&data, ways[way][0], ways[way][1]);
            struct file file;
            open_file(&packed, &data, &file);
            check_pieces(&file, &data);
            close_file(&file);
            buffer_free(&packed);
            buffer_free(&data);
        }
}

/* What the archive says of a member, changed; how the message begins. */
static void expect(struct file *file, const struct member *member, size_t count,
                   const char *message)
{
    struct file changed = *file;
    struct error error = {""};
    char *to = allocate(count, 1);
    changed.member = *member;
    assert_false(inflate_all(&changed, count, 1000, to, &error));
    assert_memory_equal(error.text, message, strlen(message));
    free(to);
}

static void test_wrong_members(void **state)
{
    (void)state;
    static const char early[] = "the deflated data end early";
    struct buffer data = made_up(5000), packed = deflated(&data, 9, Z_DEFAULT_STRATEGY);
    struct file file;
    open_file(&packed, &data, &file);
    struct member m = file.member;
    for (m.packed = 0; m.packed < packed.length; m.packed++) {
        expect(&file, &m, data.length, early);
        expect(&file, &m, 0, early);
    }
    m.packed++;
    expect(&file, &m, data.length, "the deflated data end before the member does");
    m = file.member;
    m.bytes++;
    expect(&file, &m, data.length, "the deflated data are not of 5001 bytes as the archive says");
    expect(&file, &m, data.length + 1, early);
    m.bytes -= 2;
    expect(&file, &m, 0, "the deflated data are not of 4999 bytes as the archive says");
    expect(&file, &m, data.length - 1,
           "the deflated data are not of 4999 bytes as the archive says");
    expect(&file, &m, data.length, early);
    m = file.member;
    m.offset += 100000;
    m.packed = 1;
    expect(&file, &m, 1, "truncated: ends at byte ");
    close_file(&file);
    buffer_free(&packed);
    buffer_free(&data);
}

/* 100 MB of zeros in 100 kB: the rest is not inflated to find out how much it is. */
static void test_a_bomb(void **state)
{
    (void)state;
    struct buffer zeros = {.data = allocate(100 << 20, 1), .length = 100 << 20};
    struct buffer packed = deflated(&zeros, 9, Z_DEFAULT_STRATEGY);
    struct file file;
    struct error error = {""};
    char to[10];
    open_file(&packed, &zeros, &file);
    file.member.bytes = sizeof to;
    struct inflater *inflater = inflater_open(&file.input, &file.member);
    assert_true(inflater_read(inflater, to, sizeof to, &error));
    assert_false(inflater_read(inflater, to, 1, &error));
    clock_t start = clock();
    assert_false(inflater_finish(inflater, &error));
    assert_true(clock() - start < CLOCKS_PER_SEC / 50);
    inflater_close(inflater);
    close_file(&file);
    buffer_free(&packed);
    buffer_free(&zeros);
}

/* Any bytes at all: the data come out right or not at all. */
static void test_damaged_bits(void **state)
{
    (void)state;
    struct buffer data = made_up(400), packed = deflated(&data, 9, Z_DEFAULT_STRATEGY);
    char to[400];
    for (size_t bit = 0; bit < 8 * packed.length; bit++) {
        struct file file;
        struct error error = {""};
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        open_file(&packed, &data, &file);
        if (inflate_all(&file, sizeof to, 64, to, &error))
            assert_memory_equal(to, data.data, sizeof to);
        else
            assert_true(error.text[0]);
        close_file(&file);
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_free(&packed);
    buffer_free(&data);
}

/* Checksums. */

static void test_checksums(void **state)
{
    (void)state;
    struct buffer data = made_up(70000);
    uint32_t crc = crc_add(0, NULL, 0);
    assert_int_equal(crc, 0);
    assert_int_equal(crc_add(0, "123456789", 9), 0xCBF43926); /* as every table of CRCs has it */
    for (size_t done = 0, piece = 1; done < data.length; done += piece, piece = piece * 3 % 1009) {
        piece = data.length - done < piece ? data.length - done : piece;
        crc = crc_add(crc, data.data + done, piece);
        assert_int_equal(crc, crc32(0, (void *)data.data, (uInt)(done + piece)));
    }
    assert_int_equal(crc_add(crc, NULL, 0), crc);
    buffer_free(&data);
}

static void test_parts_of_checksums(void **state)
{
    (void)state;
    struct buffer data = made_up(5000);
    uint32_t whole = crc_add(0, data.data, data.length);
    for (size_t first = 0; first <= data.length; first += 500)
        for (size_t second = first; second <= data.length; second += 250) {
            uint32_t sum = crc_part(crc_add(0, data.data, first), data.length - first);
            sum ^= crc_part(crc_add(0, data.data + first, second - first), data.length - second);
            sum ^= crc_part(crc_add(0, data.data + second, data.length - second), 0);
            assert_int_equal(sum, whole);
        }
    buffer_free(&data);
}

/* With 2^40 zero bytes behind it, which are many to count: the polynomial has the order 2^32 - 1,
 * so that many bits change nothing. */
static void test_parts_of_large_checksums(void **state)
{
    (void)state;
    const uint64_t cycle = UINT32_MAX; /* bytes, too: 8 has no factor in common with it */
    for (uint64_t count = 0; count < 100; count++)
        assert_int_equal(crc_part(0x12345678, count), crc_part(0x12345678, count + 1000 * cycle));
}

static void test_check(void **state)
{
    (void)state;
    struct error error = {""};
    assert_true(crc_check(1, 1, &error));
    assert_false(crc_check(1, 0xABCDEF01, &error));
    assert_string_equal(error.text, "the data are damaged: their CRC-32 is 00000001, not abcdef01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_wrong_members),
        cmocka_unit_test(test_a_bomb),
        cmocka_unit_test(test_damaged_bits),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_parts_of_checksums),
        cmocka_unit_test(test_parts_of_large_checksums),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

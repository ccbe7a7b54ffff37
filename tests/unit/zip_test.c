/* Zip archives larger than those of the corpus, which npz_test has. */
#include "places.h"

#include "base/bytes.h"
#include "input/zip.h"

/* An archive of stored members that is being written. */
struct writer {
    struct buffer members, directory;
    uint32_t count;
};

struct lengths {
    size_t name, local_extra, extra, comment;
};

static void add_zeros(struct buffer *buffer, size_t count)
{
    static const char zeros[UINT16_MAX];
    assert_true(count <= sizeof zeros);
    buffer_add(buffer, zeros, count);
}

/* Extra fields are filled by one without meaning. */
static void add_extra(struct buffer *buffer, size_t count)
{
    unsigned char head[4] = {'F', 'B'};
    if (count == 0)
        return;
    store_le16(head + 2, (uint16_t)(count - sizeof head));
    buffer_add(buffer, head, sizeof head);
    add_zeros(buffer, count - sizeof head);
}

static void add_member(struct writer *writer, const char *name, const char *data,
                       const struct lengths *lengths)
{
    unsigned char local[30] = {'P', 'K', 3, 4}, entry[46] = {'P', 'K', 1, 2};
    uint32_t bytes = (uint32_t)strlen(data);
    store_le32(local + 18, bytes);
    store_le32(local + 22, bytes);
    store_le16(local + 26, (uint16_t)strlen(name));
    store_le16(local + 28, (uint16_t)lengths->local_extra);
    store_le32(entry + 20, bytes);
    store_le32(entry + 24, bytes);
    store_le16(entry + 28, (uint16_t)strlen(name));
    store_le16(entry + 30, (uint16_t)lengths->extra);
    store_le16(entry + 32, (uint16_t)lengths->comment);
    store_le32(entry + 42, (uint32_t)writer->members.length);
    buffer_add(&writer->members, local, sizeof local);
    buffer_puts(&writer->members, name);
    add_extra(&writer->members, lengths->local_extra);
    buffer_puts(&writer->members, data);
    buffer_add(&writer->directory, entry, sizeof entry);
    buffer_puts(&writer->directory, name);
    add_extra(&writer->directory, lengths->extra);
    add_zeros(&writer->directory, lengths->comment);
    writer->count++;
}

static void store_le64(unsigned char *to, uint64_t value)
{
    store_le32(to, (uint32_t)value);
    store_le32(to + 4, (uint32_t)(value >> 32));
}

/* With ZIP64 records, so that there can be any number of members. */
static struct place finish(struct writer *writer)
{
    unsigned char end[56 + 20 + 22] = {'P', 'K', 6, 6, 44};
    uint64_t directory = writer->members.length, at = directory + writer->directory.length;
    store_le64(end + 24, writer->count);
    store_le64(end + 32, writer->count);
    store_le64(end + 40, writer->directory.length);
    store_le64(end + 48, directory);
    memcpy(end + 56, "PK\6\7", 4);
    store_le64(end + 56 + 8, at);
    memcpy(end + 76, "PK\5\6", 4);
    memset(end + 76 + 8, 0xff, 12);
    buffer_add(&writer->members, writer->directory.data, writer->directory.length);
    buffer_add(&writer->members, end, sizeof end);
    struct place place = place_of(writer->members.data, writer->members.length);
    buffer_free(&writer->members);
    buffer_free(&writer->directory);
    return place;
}

static void open_file(const struct place *place, struct input *input)
{
    struct raw_layout layout;
    struct error error = {""};
    assert_true(raw_layout_parse("e5m2", &layout, &error));
    assert_true(input_open(place->path, &(struct input_options){.raw = &layout}, input, &error));
}

static void open_archive(const struct place *place, struct input *input, struct zip *zip)
{
    struct error error = {""};
    open_file(place, input);
    if (!zip_open(input, zip, &error))
        fail_msg("%s", error.text);
}

static void close_archive(struct place *place, struct input *input, struct zip *zip)
{
    zip_close(zip);
    input_close(input);
    close(place->descriptor);
}

/* The data of the members here are their names. */
static void check_member(struct input *input, const struct zip_member *member)
{
    struct error error = {""};
    uint64_t offset;
    if (!zip_locate(input, member, &offset, &error))
        fail_msg("%.100s: %s", member->name, error.text);
    size_t length = strlen(member->name);
    char *data = allocate(length, 1);
    assert_int_equal(member->bytes, length);
    assert_int_equal(member->packed, length);
    assert_int_equal(offset + length, member->limit);
    assert_true(input_read(input, offset, data, length, &error));
    assert_memory_equal(data, member->name, length);
    free(data);
}

static void check_archive(struct input *input, const struct zip *zip)
{
    for (size_t i = 0; i < zip->count; i++) {
        check_member(input, &zip->members[i]);
        assert_ptr_equal(zip_find(zip, zip->members[i].name), &zip->members[i]);
        assert_true(i == 0 || zip->members[i - 1].limit == zip->members[i].header);
    }
}

static void test_many_members(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct writer writer = {0};
    for (unsigned i = 0; i < MANY; i++) {
        char name[40];
        snprintf(name, sizeof name, "layers.%u.weight.npy", i * 7919 % MANY);
        add_member(&writer, name, name, &(struct lengths){0});
    }
    struct place place = finish(&writer);
    struct input input;
    struct zip zip;
    open_archive(&place, &input, &zip);
    assert_int_equal(zip.count, MANY);
    check_archive(&input, &zip);
    assert_null(zip_find(&zip, "layers.100000.weight.npy"));
    assert_null(zip_find(&zip, "layers"));
    assert_null(zip_find(&zip, ""));
    close_archive(&place, &input, &zip);
}

/* Entries of any length, up to the longest there are, wherever they are cut by what is read. */
static void test_long_entries(void **state)
{
    (void)state;
    static const struct lengths lengths[] = {
        {1, 0, 0, 0},
        {65535, 0, 0, 0},
        {100, 65535, 0, 0},
        {200, 0, 65535, 0},
        {300, 0, 0, 65535},
        {65535, 4, 65535, 65535},
        {65534, 65535, 65535, 65535},
        {2, 0, 0, 0},
        {65000, 0, 65000, 9},
        {60000, 5, 4, 60000},
        {3, 4, 4, 4},
    };
    enum { COUNT = sizeof lengths / sizeof *lengths };
    struct writer writer = {0};
    for (int i = 0; i < COUNT; i++) {
        char *name = allocate(lengths[i].name + 1, 1);
        memset(name, 'a' + i, lengths[i].name);
        add_member(&writer, name, name, &lengths[i]);
        free(name);
    }
    struct place place = finish(&writer);
    struct input input;
    struct zip zip;
    open_archive(&place, &input, &zip);
    assert_int_equal(zip.count, COUNT);
    check_archive(&input, &zip);
    close_archive(&place, &input, &zip);
}

/* The end record is found behind the longest comment; and not farther away. */
static void test_long_comments(void **state)
{
    (void)state;
    for (size_t length = 65534; length <= 65536; length++) {
        struct buffer bytes = {0};
        unsigned char end[22] = {'P', 'K', 5, 6};
        store_le16(end + 20, (uint16_t)length);
        buffer_add(&bytes, end, sizeof end);
        for (size_t i = 0; i < length; i++)
            buffer_add(&bytes, "c", 1);
        struct place place = place_of(bytes.data, bytes.length);
        struct input input;
        struct zip zip;
        struct error error = {""};
        open_file(&place, &input);
        assert_int_equal(zip_open(&input, &zip, &error), length <= 65535);
        if (length <= 65535)
            assert_int_equal(zip.count, 0);
        else
            assert_string_equal(error.text, "truncated zip archive: no end record");
        assert_null(zip_find(&zip, "c"));
        close_archive(&place, &input, &zip);
        buffer_free(&bytes);
    }
}

static void test_recognise(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        size_t length;
        bool is;
    } heads[] = {
        {"PK\3\4", 4, true},  {"PK\3\4more", 8, true}, {"PK\5\6", 4, true}, {"PK\3", 3, false},
        {"PK\1\2", 4, false}, {"PK\7\10", 4, false},   {"", 0, false},      {"pk\3\4", 4, false},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        assert_int_equal(zip_recognise((const unsigned char *)heads[i].head, heads[i].length),
                         heads[i].is);
}

/* A directory of a gigabyte that is claimed, and is zeros for the most part: memory and time go by
 * what is read until the first wrong byte. */
static void test_a_directory_of_zeros(void **state)
{
    (void)state;
    const uint32_t size = 1 << 30;
    struct place place = {.descriptor = memfd_create("zeros", MFD_CLOEXEC)};
    unsigned char end[22] = {'P', 'K', 5, 6};
    store_le16(end + 8, 1000);
    store_le16(end + 10, 1000);
    store_le32(end + 12, size);
    assert_int_equal(pwrite(place.descriptor, end, sizeof end, size), sizeof end);
    snprintf(place.path, sizeof place.path, "/proc/self/fd/%d", place.descriptor);
    struct input input;
    struct zip zip;
    struct error error = {""};
    open_file(&place, &input);
    assert_false(zip_open(&input, &zip, &error));
    assert_string_equal(error.text, "the zip archive's central directory is damaged");
    close_archive(&place, &input, &zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_members),         cmocka_unit_test(test_long_entries),
        cmocka_unit_test(test_long_comments),        cmocka_unit_test(test_recognise),
        cmocka_unit_test(test_a_directory_of_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Opening and reading whatever the container: paths, pipes, files that change; and indices. */
#include "places.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

/* `message` is how it begins. */
static void check_refused(const char *path, const char *message)
{
    struct input input;
    struct error error = {""};
    assert_false(input_open(path, &no_options, &input, &error));
    if (strncmp(error.text, message, strlen(message)) != 0)
        fail_msg("%s: %s", path, error.text);
}

static void test_odd_paths(void **state)
{
    (void)state;
    check_refused("tests", "is a directory");
    check_refused("tests/no such file", strerror(ENOENT));
    check_refused("", strerror(ENOENT));
    check_refused("/dev/null", "is empty");
    check_refused("/proc/self/mem", strerror(EIO));
    check_refused("/proc/self/stat", "not a "); /* claims no byte, but has some */
}

static void test_closed_standard_input(void **state)
{
    (void)state;
    close(STDIN_FILENO);
    check_refused("-", strerror(EBADF));
    assert_int_equal(open("/dev/null", O_RDONLY), STDIN_FILENO);
}

/* A file that something was read from before begins where it is. */
static void test_standard_input_from_a_file(void **state)
{
    (void)state;
    struct buffer file = slurp(CORPUS "good-f4-le.npy");
    for (off_t start = 0; start <= 5; start += 5) {
        struct input input;
        struct error error = {""};
        struct place place = place_of("12345", (size_t)start);
        assert_int_equal(write(place.descriptor, file.data, file.length), file.length);
        assert_int_equal(lseek(place.descriptor, start, SEEK_SET), start);
        assert_int_equal(dup2(place.descriptor, STDIN_FILENO), STDIN_FILENO);
        close(place.descriptor);

        float numbers[3];
        if (!input_open("-", &no_options, &input, &error))
            fail_msg("%s", error.text);
        assert_int_equal(input.seekable, start == 0);
        assert_int_equal(input.tensors[0].offset, 128);
        assert_true(input_read(&input, 128, numbers, sizeof numbers, &error));
        assert_true(numbers[2] == 2.5F);
        assert_true(input_finish(&input, &error));
        assert_string_equal(input.warning, "");
        input_close(&input);
    }
    buffer_free(&file);
}

static void test_a_stream_goes_forward_only(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[4];
    struct buffer file = slurp(CORPUS "good-tail.npy");
    pipe_in(file.data, file.length);
    assert_true(input_open("-", &no_options, &input, &error));
    assert_true(input_read(&input, 132, bytes, 4, &error)); /* skips an element */
    assert_memory_equal(bytes, file.data + 132, 4);
    assert_int_equal(input.position, 136);
    assert_false(input_read(&input, 132, bytes, 4, &error));
    assert_string_equal(error.text, "byte 132 of a stream has gone by");

    assert_true(input_finish(&input, &error)); /* passes over an element that was not read */
    assert_string_equal(input.warning, "bytes after the data are ignored");
    input_close(&input);
    buffer_free(&file);
}

static void test_a_stream_that_ends_in_what_nobody_read(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[4];
    struct buffer file = slurp(CORPUS "good-tail.npy");
    pipe_in(file.data, 139);
    assert_true(input_open("-", &no_options, &input, &error));
    assert_true(input_read(&input, 128, bytes, 4, &error));
    assert_false(input_finish(&input, &error));
    assert_string_equal(error.text, "truncated: ends at byte 139, before byte 140");
    input_close(&input);
    buffer_free(&file);
}

static void test_one_byte_of_tail_and_a_note(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    struct buffer file = slurp(CORPUS "good-v2-le.npy");
    buffer_add(&file, "", 1);
    struct place place = place_of(file.data, file.length);
    assert_true(input_open(place.path, &no_options, &input, &error));
    assert_true(input_finish(&input, &error));
    assert_string_equal(input.warning, "dtype V2 taken as bf16; 1 byte after the data is ignored");
    input_close(&input);
    close(place.descriptor);
    buffer_free(&file);
}

static void no_action(int signal)
{
    (void)signal;
}

/* The writer gives byte after byte, a timer interrupts the reader all the while, and the read end
 * does not block. */
static void test_a_slow_stream_among_signals(void **state)
{
    (void)state;
    struct buffer file = slurp(CORPUS "good-f4-le.npy"), data = {0};
    struct error error = {""};
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        for (size_t i = 0; i < file.length; i++) {
            usleep(1000);
            if (write(ends[1], file.data + i, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);

    struct sigaction action = {.sa_handler = no_action}; /* no SA_RESTART */
    struct itimerval often = {{0, 300}, {0, 300}}, never = {0};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    bool ok = read_all("-", &no_options, &data, &error);
    setitimer(ITIMER_REAL, &never, NULL);

    if (!ok)
        fail_msg("%s", error.text);
    assert_memory_equal(data.data, file.data + 128, 12);
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    buffer_free(&file);
    buffer_free(&data);
}

/* Files that change under the reader. */

static void open_copy(struct place *place, struct input *input)
{
    struct error error = {""};
    struct buffer file = slurp(CORPUS "good-f4-le.npy");
    *place = place_of(file.data, file.length);
    assert_true(input_open(place->path, &no_options, input, &error));
    buffer_free(&file);
}

static void test_a_file_that_shrinks(void **state)
{
    (void)state;
    struct place place;
    struct input input;
    struct error error = {""};
    char bytes[12];
    open_copy(&place, &input);
    assert_int_equal(ftruncate(place.descriptor, 132), 0);
    assert_true(input_read(&input, 128, bytes, 4, &error));
    assert_false(input_read(&input, 128, bytes, 12, &error));
    assert_string_equal(error.text, "the file shrank while it was being read");
    assert_false(input_finish(&input, &error));
    assert_string_equal(error.text, "the file changed while it was being read");
    input_close(&input);
    close(place.descriptor);
}

static void test_a_file_that_changes(void **state)
{
    (void)state;
    struct place place;
    struct input input;
    struct error error = {""};
    open_copy(&place, &input);
    assert_true(input_finish(&input, &error));
    struct timespec then[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};
    assert_int_equal(futimens(place.descriptor, then), 0);
    assert_false(input_finish(&input, &error));
    assert_string_equal(error.text, "the file changed while it was being read");
    input_close(&input);
    close(place.descriptor);
}

static void test_no_read_beyond_the_end(void **state)
{
    (void)state;
    struct place place;
    struct input input;
    struct error error = {""};
    char bytes[12];
    open_copy(&place, &input);
    assert_false(input_read(&input, 132, bytes, 12, &error));
    assert_string_equal(error.text, "truncated: ends at byte 140, before byte 144");
    assert_false(input_read(&input, UINT64_MAX - 4, bytes, 12, &error));
    assert_true(input_read(&input, 140, NULL, 0, &error));
    input_close(&input);
    input_close(&input); /* twice is no harm */
    close(place.descriptor);
}

/* Indices. */

static void check_index(const struct tensor *tensor, uint64_t position, uint64_t i, uint64_t j,
                        uint64_t k)
{
    uint64_t index[3];
    tensor_index(tensor, position, index);
    assert_int_equal(index[0], i);
    assert_int_equal(index[1], j);
    assert_int_equal(index[2], k);
}

static void test_indices(void **state)
{
    (void)state;
    struct tensor tensor = {.rank = 3, .shape = (uint64_t[]){2, 3, 2}, .elements = 12};
    check_index(&tensor, 0, 0, 0, 0);
    check_index(&tensor, 1, 0, 0, 1);
    check_index(&tensor, 7, 1, 0, 1);
    check_index(&tensor, 11, 1, 2, 1);
    tensor.fortran = true;
    check_index(&tensor, 1, 1, 0, 0);
    check_index(&tensor, 7, 1, 0, 1);
    check_index(&tensor, 10, 0, 2, 1);
    tensor.components = true;
    check_index(&tensor, 1, 0, 0, 1);
    check_index(&tensor, 2, 1, 0, 0);
    check_index(&tensor, 7, 1, 1, 1);
    tensor.fortran = false;
    check_index(&tensor, 7, 1, 0, 1);

    struct tensor scalar = {.elements = 1};
    tensor_index(&scalar, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_paths),
        cmocka_unit_test(test_closed_standard_input),
        cmocka_unit_test(test_standard_input_from_a_file),
        cmocka_unit_test(test_a_stream_goes_forward_only),
        cmocka_unit_test(test_a_stream_that_ends_in_what_nobody_read),
        cmocka_unit_test(test_one_byte_of_tail_and_a_note),
        cmocka_unit_test(test_a_slow_stream_among_signals),
        cmocka_unit_test(test_a_file_that_shrinks),
        cmocka_unit_test(test_a_file_that_changes),
        cmocka_unit_test(test_no_read_beyond_the_end),
        cmocka_unit_test(test_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

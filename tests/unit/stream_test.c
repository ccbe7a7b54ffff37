/* Tensors that leave while others are still being measured. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/stream.h"
#include "unit/sample_report.h"

#include <cmocka.h>

enum { TENSORS = 5 };

/* An output to a pipe, and what is read from that. */
struct piped {
    int end; /* that is written to */
    char path[64];
    struct options options;
    struct outputs outputs;
    FILE *lines;
};

static void open_piped(struct piped *piped)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    piped->end = ends[1];
    snprintf(piped->path, sizeof piped->path, "/proc/self/fd/%d", ends[1]);
    piped->options =
        (struct options){.outputs = {{output_find("ndjson"), piped->path}}, .output_count = 1};
    piped->lines = fdopen(ends[0], "r");
    assert_non_null(piped->lines);
    outputs_open(&piped->options, &piped->outputs);
    assert_non_null(piped->outputs.streaming);
}

/* The next line has the name; it is there, or comes, without anything more being done. */
static void expect_line(FILE *lines, const char *name)
{
    char line[1 << 14], member[64];
    snprintf(member, sizeof member, "\"name\": \"%s\"", name);
    assert_non_null(fgets(line, sizeof line, lines));
    assert_non_null(strstr(line, member));
}

static volatile sig_atomic_t signals;

static void note_signal(int number)
{
    (void)number;
    signals++;
}

/* The thread that works makes a file and holds signals off: the other one takes none meanwhile. */
static void test_signals(void **state)
{
    (void)state;
    static const double value = 0.1;
    struct sample_tensor tensor = {"w.safetensors", "a", 1, {1}, &value};
    struct report report = sample_report("bf16", 0, &tensor, 1);
    struct piped piped;
    struct sigaction action = {.sa_handler = note_signal}, before;
    assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
    sigset_t term, mask;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);

    open_piped(&piped);
    struct stream *stream = stream_start(&piped.outputs, &report, 0, 1);
    assert_non_null(stream);
    pthread_sigmask(SIG_BLOCK, &term, &mask);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    stream_settle(stream, 0, true);
    expect_line(piped.lines, "a");
    assert_int_equal(signals, 0);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    assert_int_equal(signals, 1);
    stream_stop(stream);

    sigaction(SIGTERM, &before, NULL);
    assert_int_equal(outputs_close(&piped.outputs, &(struct content){.report = &report}), 0);
    close(piped.end);
    fclose(piped.lines);
    report_free(&report);
}

static void test_order(void **state)
{
    (void)state;
    static const double value = 0.1;
    static const char *const names[TENSORS] = {"a", "b", "c", "d", "e"};
    struct sample_tensor tensors[TENSORS];
    for (size_t t = 0; t < TENSORS; t++)
        tensors[t] = (struct sample_tensor){"w.safetensors", names[t], 1, {1}, &value};
    struct report report = sample_report("bf16", 0, tensors, TENSORS);
    struct piped piped;

    open_piped(&piped);
    struct stream *stream = stream_start(&piped.outputs, &report, 0, TENSORS);
    assert_non_null(stream);
    stream_settle(stream, 0, true);
    expect_line(piped.lines, "a");
    stream_settle(stream, 4, true); /* these wait for b */
    stream_settle(stream, 2, true);
    stream_settle(stream, 1, true);
    expect_line(piped.lines, "b");
    expect_line(piped.lines, "c");
    stream_settle(stream, 3, false); /* could not be read */
    expect_line(piped.lines, "e");
    stream_stop(stream);

    /* The report closes the gap before it goes on. */
    struct report_tensor lost = report.tensors[3];
    report.tensors[3] = report.tensors[4];
    report.tensors[4] = lost;
    report.tensor_count = TENSORS - 1;
    assert_int_equal(outputs_close(&piped.outputs, &(struct content){.report = &report}), 0);
    close(piped.end);
    char line[1 << 14];
    assert_non_null(fgets(line, sizeof line, piped.lines));
    assert_memory_equal(line, "{\"schema\"", 9);
    assert_null(fgets(line, sizeof line, piped.lines));
    fclose(piped.lines);
    report.tensor_count = TENSORS;
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_signals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

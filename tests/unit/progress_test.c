/* The line that tells how far a run is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/run/progress.h"

#include <cmocka.h>

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        uint64_t done, expected;
        double seconds;
        const char *line;
    } lines[] = {
        {1000000000, 4000000000, 2, " 25 %  1.0 GB  500 MB/s  6 s left"},
        {999, 2000, 1, " 50 %  999 B  999 B/s  1 s left"},
        {9900, 9900000, 1, "  0 %  9.9 kB  9.9 kB/s  17 min left"},
        {1000000, 20000000000, 1, "  0 %  1.0 MB  1.0 MB/s  5.6 h left"},
        {5000, 0, 1, "5.0 kB  5.0 kB/s"}, /* a stream: nobody knows */
        {0, 5000, 1, "0 B  0 B/s"},       /* nothing yet to judge by */
        {UINT64_MAX, UINT64_MAX, 1, "18447 PB  18447 PB/s"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[128];
        progress_line(line, sizeof line, lines[i].done, lines[i].expected, lines[i].seconds);
        assert_string_equal(line, lines[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

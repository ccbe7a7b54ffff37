/* The renderings for other programs: what strangers wrote stays text in each of them. What they
 * hold is compared with the JSON in tests/cli/kinds.bats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "output/output.h"
#include "output/told.h"
#include "sample_report.h"

/* cmocka last: its macro `fail` is a function of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const double values[] = {1, -2, 1e5, 0};

/* As file, as name and as rule. */
static const struct {
    const char *text;
    const char *csv, *markdown, *junit, *message, *property;
} strangers[] = {
    {"=1+1|\"x\"", "\"'=1+1|\"\"x\"\"\"", "`=1+1\\x7c\"x\"`", "=1+1|&quot;x&quot;", "=1+1|\"x\"",
     "=1+1|\"x\""},
    {"'=a", "\"''=a\"", "`'=a`", "'=a", "'=a", "'=a"},
    {"\xef\xbc\x8d"
     "a",
     "\"'\xef\xbc\x8d"
     "a\"",
     "`\xef\xbc\x8d"
     "a`",
     "\xef\xbc\x8d"
     "a",
     "\xef\xbc\x8d"
     "a",
     "\xef\xbc\x8d"
     "a"},
    {"a\n::error::b", "\"a\\x0a::error::b\"", "`a\\x0a::error::b`", "a\\x0a::error::b",
     "a\\x0a::error::b", "a\\x0a%3A%3Aerror%3A%3Ab"},
    {"%0A,:\r", "\"%0A,:\\x0d\"", "`%0A,:\\x0d`", "%0A,:\\x0d", "%250A,:\\x0d", "%250A%2C%3A\\x0d"},
    {"<script>&]]>", "\"<script>&]]>\"", "`<script>&]]>`", "&lt;script&gt;&amp;]]&gt;",
     "<script>&]]>", "<script>&]]>"},
    {" `*_[a](b) ", "\" `*_[a](b) \"", "`\\x20\\x60*_[a](b)\\x20`", " `*_[a](b) ", " `*_[a](b) ",
     " `*_[a](b) "},
    {"\xff\xc2\x9b\\x41\x1b\x7f", "\"\\xff\\xc2\\x9b\\x5cx41\\x1b\\x7f\"",
     "`\\xff\\xc2\\x9b\\x5cx41\\x1b\\x7f`", "\\xff\\xc2\\x9b\\x5cx41\\x1b\\x7f",
     "\\xff\\xc2\\x9b\\x5cx41\\x1b\\x7f", "\\xff\\xc2\\x9b\\x5cx41\\x1b\\x7f"},
    {"\xef\xbf\xbf\xef\xbf\xbd", "\"\xef\xbf\xbf\xef\xbf\xbd\"", "`\xef\xbf\xbf\xef\xbf\xbd`",
     "\\xef\\xbf\\xbf\xef\xbf\xbd", "\xef\xbf\xbf\xef\xbf\xbd", "\xef\xbf\xbf\xef\xbf\xbd"},
};

static struct report report_of(const char *text)
{
    const struct sample_tensor tensor = {text, text, 2, {2, 2}, values};
    struct report report = sample_report("fp16,bf16", 0, &tensor, 1);
    sample_gates(&report, text);
    return report;
}

static char *render(const char *kind, const struct report *report)
{
    struct sink sink = {.text = {0}};
    output_begin(output_find(kind), &sink);
    output_rest(output_find(kind), report, 0, &(struct style){.top = 3}, &sink);
    buffer_puts(&sink.text, "");
    return sink.text.data;
}

static void expect_in(const char *kind, const struct report *report, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void expect_in(const char *kind, const struct report *report, const char *format, ...)
{
    char expected[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    char *text = render(kind, report);
    if (!strstr(text, expected))
        fail_msg("%s lacks '%s':\n%s", kind, expected, text);
    free(text);
}

static void what_strangers_wrote_is_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strangers); i++) {
        struct report report = report_of(strangers[i].text);
        const char *junit = strangers[i].junit, *message = strangers[i].message;
        const char *property = strangers[i].property, *markdown = strangers[i].markdown;
        expect_in("csv", &report, "\r\n%s,%s,f32,2x2,4,fp16,16,1,", strangers[i].csv,
                  strangers[i].csv);
        expect_in("markdown", &report, "\n| %s | 1 | fp16 | %s |\n", markdown, markdown);
        expect_in("junit", &report, "<testcase name=\"%s in fp16\" classname=\"%s/%s\">", junit,
                  junit, junit);
        expect_in("html", &report, "\n<tr><th scope=\"row\"><code>%s</code></th><td ", junit);
        expect_in("github", &report, "::error file=%s,title=%s::%s: %s in fp16 (value 1)\n",
                  property, property, message, message);
        report_free(&report);
    }
}

/* The lines of a kind do not depend on what strangers wrote. */
static void no_line_is_added(void **state)
{
    (void)state;
    static const char *const kinds[] = {"ndjson", "csv",        "markdown", "html",
                                        "junit",  "prometheus", "github"};
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t i = 0; i < COUNT(strangers); i++) {
            size_t lines[2] = {0};
            for (int plain = 0; plain < 2; plain++) {
                struct report report = report_of(plain ? "name" : strangers[i].text);
                sample_advice(&report, "code", plain ? "Do." : strangers[i].text);
                char *text = render(kinds[k], &report);
                for (const char *at = text; *at; at++) {
                    lines[plain] += *at == '\n';
                    assert_true((unsigned char)*at >= ' ' || *at == '\n' ||
                                (*at == '\r' && at[1] == '\n' && strcmp(kinds[k], "csv") == 0));
                }
                free(text);
                report_free(&report);
            }
            assert_int_equal(lines[0], lines[1]);
        }
}

static void advice_is_prose(void **state)
{
    (void)state;
    struct report report = report_of("x");
    sample_advice(&report, "code", "|w| > 2^-14 *or* [x](y) <b>`\\ \x1b");
    expect_in("markdown", &report,
              "\n- \\|w\\| \\> 2^-14 \\*or\\* \\[x\\](y) \\<b\\>\\`\\\\ \\\\x1b\n");
    report_free(&report);
}

static void reports_of_nothing(void **state)
{
    (void)state;
    struct report report = {.version = "0", .incomplete = true};
    expect_in("junit", &report, "errors=\"1\"");
    expect_in("prometheus", &report, "\nprecheck_complete 0\n");
    expect_in("github", &report, "::error title=precheck::incomplete");
    expect_in("markdown", &report, "### precheck\n\n**Incomplete");
    expect_in("html", &report, "<p class=\"bad\">Incomplete: there was trouble");
    expect_in("csv", &report, "file,name,");
    expect_in("ndjson", &report, "{\"schema\": \"precheck/1\"");
    report.incomplete = false;
    char *text = render("github", &report);
    assert_string_equal(text, "");
    free(text);
}

/* Neither a string nor the element that the data is in ends within a name. */
static void data_of_the_page_is_inert(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"</script><!--", "\"name\":\"\\u003c/script\\u003e\\u003c!--\","},
        {"\"\\u0041", "\"name\":\"\\u0022\\u005cu0041\","},
        {"\\x41\x01", "\"name\":\"\\u005cx5cx41\\u005cx01\","},
        {"&amp;\xe2\x80\xae", "\"name\":\"\\u0026amp;\\u005cxe2\\u005cx80\\u005cxae\","},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct report report = report_of(names[i][0]);
        expect_in("html", &report, "%s", names[i][1]);
        report_free(&report);
    }
}

/* What the page has no room for it counts, and it never passes 5 MB by much. */
static void pages_are_limited(void **state)
{
    (void)state;
    enum { TENSORS = 5000 };
    struct sample_tensor *tensors = allocate(TENSORS, sizeof *tensors);
    char(*names)[16] = allocate(TENSORS, sizeof *names);
    double *normal = sample_normal(1, 256, 1);
    for (size_t t = 0; t < TENSORS; t++) {
        snprintf(names[t], sizeof names[t], "tensor.%zu", t);
        tensors[t] = (struct sample_tensor){"m", names[t], 1, {256}, normal};
    }
    struct report report = sample_report("fp16,bf16,e4m3fn,e5m2", 0, tensors, TENSORS);
    char *text = render("html", &report);
    assert_true(strlen(text) < 5000000);
    assert_non_null(strstr(text, "<p>The page has the first 4,000 of 5,000 tensors; "));
    assert_non_null(strstr(text, "<li>bf16: 1,000 more tensors</li>"));
    assert_non_null(strstr(text, "The script shows more tensors; without it the first 3 are"));
    const char *detailed = strstr(text, "\"detailed\":");
    assert_non_null(detailed);
    size_t count = strtoul(detailed + strlen("\"detailed\":"), NULL, 10);
    assert_in_range(count, 500, 3999);
    free(text);
    report_free(&report);
    free(normal);
    free(names);
    free(tensors);
}

/* Of as many as GitHub shows all, of more the worst nine and how many more. */
static void annotations_are_limited(void **state)
{
    (void)state;
    for (size_t count = 9; count <= 12; count++) {
        struct sample_tensor tensors[12];
        char names[12][8];
        for (size_t t = 0; t < count; t++) {
            snprintf(names[t], sizeof names[t], "t%zu", t);
            tensors[t] = (struct sample_tensor){"m", names[t], 1, {t + 1 == count ? 3 : 4}, values};
        }
        struct report report = sample_report("fp16", 0, tensors, count);
        sample_gates(&report, "overflow > 0");
        char *text = render("github", &report), first[64];
        size_t lines = 0;
        for (const char *at = text; *at; at++)
            lines += *at == '\n';
        assert_int_equal(lines, count < 10 ? count : 10);
        assert_int_equal(strstr(text, " more\n") != NULL, count > 10);
        snprintf(first, sizeof first, "::error file=m,title=overflow > 0::t%zu: ", count - 1);
        assert_int_equal(strncmp(text, first, strlen(first)), 0);
        free(text);
        report_free(&report);
    }
}

static void gates_are_told_by_level(void **state)
{
    (void)state;
    struct report report = report_of("x");
    assert_int_equal(told_count(&report, GATE_ERROR), 1);
    assert_int_equal(told_count(&report, GATE_WARN), 0);
    report.gates[0].level = GATE_WARN;
    assert_int_equal(told_count(&report, GATE_WARN), 1);
    expect_in("github", &report, "::warning file=x,");
    expect_in("junit", &report, "<testsuite name=\"x\" tests=\"2\" failures=\"0\" errors=\"0\">");
    expect_in("junit", &report, "<system-out>warning: the value is 1</system-out>");
    expect_in("markdown", &report, "| warns on | value |");
    expect_in("prometheus", &report, "\nprecheck_gate_failures 0\n");
    expect_in("prometheus", &report, "\nprecheck_gate_warnings 1\n");
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_strangers_wrote_is_text),
        cmocka_unit_test(no_line_is_added),
        cmocka_unit_test(advice_is_prose),
        cmocka_unit_test(reports_of_nothing),
        cmocka_unit_test(data_of_the_page_is_inert),
        cmocka_unit_test(pages_are_limited),
        cmocka_unit_test(annotations_are_limited),
        cmocka_unit_test(gates_are_told_by_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

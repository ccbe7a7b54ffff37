/* A test report that CI systems show, in the XML of JUnit: a suite for each rule, a case for each
 * gate. */
#include "output/escape.h"
#include "output/text/text.h"

/* Gates of one rule follow each other. */
static size_t gates_of_rule(const struct report *report, size_t first)
{
    size_t count = 0;
    while (first + count < report->gate_count &&
           report->gates[first + count].rule == report->gates[first].rule)
        count++;
    return count;
}

static bool fails(const struct report_gate *gate)
{
    return !gate->pass && gate->level == GATE_ERROR;
}

static size_t count_failures(const struct report_gate *gates, size_t count)
{
    size_t failures = 0;
    for (size_t g = 0; g < count; g++)
        failures += fails(&gates[g]);
    return failures;
}

static void open_suite(struct buffer *out, const char *name, size_t tests, size_t failures,
                       size_t errors)
{
    buffer_puts(out, "  <testsuite name=\"");
    escape_markup(out, name);
    buffer_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n", tests, failures,
                  errors);
}

static void close_suite(struct buffer *out)
{
    buffer_puts(out, "  </testsuite>\n");
}

/* Whether all was read and written; so that there is a test even without gates. */
static void trouble_suite(struct buffer *out, const struct report *report)
{
    open_suite(out, "trouble", 1, 0, report->incomplete);
    buffer_puts(out, "    <testcase name=\"no trouble\" classname=\"precheck\"");
    if (report->incomplete)
        buffer_puts(out, ">\n      <error message=\"incomplete: there was trouble, see the "
                         "messages\"/>\n    </testcase>\n");
    else
        buffer_puts(out, "/>\n");
    close_suite(out);
}

/* The tensor stands where JUnit has the class. */
static void add_class(struct buffer *out, const struct report_tensor *tensor)
{
    escape_markup(out, tensor->file);
    if (*tensor->tensor.name) {
        buffer_puts(out, "/");
        escape_markup(out, tensor->tensor.name);
    }
}

/* Of a gate that does not hold. */
static void add_result(struct buffer *out, const struct report_gate *gate)
{
    struct buffer value = {0};
    text_value(&value, &gate->value, &gate->tensor->tensor);
    if (gate->level == GATE_WARN)
        buffer_printf(out, "      <system-out>warning: the value is %s</system-out>\n", value.data);
    else
        buffer_printf(out, "      <failure message=\"the value is %s\"/>\n", value.data);
    buffer_free(&value);
}

static void test_case(struct buffer *out, const struct report *report,
                      const struct report_gate *gate)
{
    buffer_puts(out, "    <testcase name=\"");
    escape_markup(out, gate->rule);
    buffer_printf(out, " in %s\" classname=\"", report->casts[gate->cast].format.name);
    add_class(out, gate->tensor);
    if (gate->pass) {
        buffer_puts(out, "\"/>\n");
        return;
    }
    buffer_puts(out, "\">\n");
    add_result(out, gate);
    buffer_puts(out, "    </testcase>\n");
}

static void rule_suite(const struct report *report, const struct report_gate *gates, size_t count,
                       struct sink *sink)
{
    open_suite(&sink->text, gates->rule, count, count_failures(gates, count), 0);
    for (size_t g = 0; g < count && sink_goes_on(sink); g++)
        test_case(&sink->text, report, &gates[g]);
    close_suite(&sink->text);
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    (void)style;
    buffer_puts(&sink->text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buffer_printf(&sink->text,
                  "<testsuites name=\"precheck\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\">\n",
                  report->gate_count + 1, count_failures(report->gates, report->gate_count),
                  report->incomplete);
    trouble_suite(&sink->text, report);
    for (size_t g = 0, count; g < report->gate_count && sink_goes_on(sink); g += count) {
        count = gates_of_rule(report, g);
        rule_suite(report, &report->gates[g], count, sink);
    }
    buffer_puts(&sink->text, "</testsuites>\n");
}

const struct renderer renderer_junit = {.kind = "junit", .render = render};

/* Policy files: what is read, what is refused, and which rules count for which tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "gate/policy.h"
#include "sample_report.h"

#include <cmocka.h> /* last: its fail() is a macro */

/* Parsing. */

static bool parse(const char *text, struct gates *gates, struct error *error)
{
    *error = (struct error){""};
    return policy_parse(text, strlen(text), gates, error);
}

#define RULES(rules) "{\"version\": 1, \"rules\": [" rules "]}"
#define OVERFLOW "\"metric\": \"overflow\", \"op\": \">\", \"value\": 0"

static void test_a_rule_is_shown_as_on_the_command_line(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *text;
    } rules[] = {
        {"{" OVERFLOW "}", "overflow > 0"},
        {"{\"tensors\": \"*norm*\", \"to\": \"bf16\", \"metric\": \"max_rel\", \"op\": \">\", "
         "\"value\": 0.001, \"level\": \"warn\"}",
         "*norm*: bf16: max_rel > 0.001"},
        {"{\"tensors\": \"*\", " OVERFLOW "}", "*: overflow > 0"},
        {"{\"to\": \"FP8\", " OVERFLOW "}", "FP8: overflow > 0"},
        {"{\"metric\": \"sqnr_db\", \"op\": \"==\", \"value\": \"inf\"}", "sqnr_db == inf"},
        {"{\"metric\": \"error.mean\", \"op\": \"<=\", \"value\": \"-inf\"}", "error.mean <= -inf"},
        {"{\"metric\": \"mean\", \"op\": \"!=\", \"value\": -1e-300}", "mean != -1e-300"},
        {"{\"metric\": \"mean\", \"op\": \"<\", \"value\": 0.1}", "mean < 0.1"},
        {"{\"metric\": \"mean\", \"op\": \">=\", \"value\": 0.30000000000000004}",
         "mean >= 0.30000000000000004"},
        {"{\"metric\": \"overflow_rate\", \"level\": \"off\"}", "overflow_rate off"},
        {"{\"level\": \"off\", " OVERFLOW "}", "overflow off"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct gates gates = {0};
        struct error error;
        struct buffer text = {0};
        buffer_printf(&text, RULES("%s"), rules[i].rule);
        if (!parse(text.data, &gates, &error))
            fail_msg("%s: %s", rules[i].rule, error.text);
        assert_int_equal(gates.count, 1);
        assert_string_equal(gates.rules[0].text, rules[i].text);
        assert_true(gates.rules[0].in_policy);
        gates_free(&gates);
        buffer_free(&text);
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "line 1, column "},
        {"{\"version\": 1,\n \"rules\": [}", "line 2, column "},
        {"{\"version\": 1, \"rules\": []} x", "line 1, column "},
        {"{\"version\": 1, \"version\": 1, \"rules\": []}", "line 1, column "},
        {RULES("{\"op\": \">\", \"op\": \"<\"}"), "line 1, column "},
        {RULES("{\"metric\": \"mean\", \"op\": \">\", \"value\": NaN}"), "line 1, column "},
        {RULES("{\"metric\": \"mean\", \"op\": \">\", \"value\": 1e999}"), "line 1, column "},
        {RULES("{\"metric\": \"a\\u0000b\"}"), "line 1, column "},
        {RULES("{\"metric\": \"\xff\"}"), "line 1, column "},
        {"[]", "a policy is a JSON object"},
        {"{\"rules\": [{" OVERFLOW "}]}", "no 'version'"},
        {"{\"version\": 2, \"rules\": [{" OVERFLOW "}]}", "version 2 is unknown (1 is known)"},
        {"{\"version\": 1.0, \"rules\": [{" OVERFLOW "}]}", "'version' is not an integer"},
        {"{\"version\": \"1\", \"rules\": [{" OVERFLOW "}]}", "'version' is not an integer"},
        {"{\"version\": 1}", "no 'rules'"},
        {"{\"version\": 1, \"rules\": {}}", "'rules' is not an array"},
        {"{\"version\": 1, \"rules\": []}", "no rule"},
        {"{\"version\": 1, \"rule\": [], \"rules\": []}", "unknown key 'rule'"},
        {RULES("1"), "rule 1: not an object"},
        {RULES("{" OVERFLOW "}, {" OVERFLOW "}, {" OVERFLOW ", \"levle\": \"warn\"}"),
         "rule 3: unknown key 'levle'"},
        {RULES("{}"), "rule 1: no 'metric'"},
        {RULES("{\"metric\": \"overflow\", \"value\": 0}"), "rule 1: no 'op'"},
        {RULES("{\"metric\": \"overflow\", \"op\": \">\"}"), "rule 1: no 'value'"},
        {RULES("{\"op\": \">\", \"value\": 0}"), "rule 1: no 'metric'"},
        {RULES("{\"level\": \"off\"}"), "rule 1: no 'metric'"},
        {RULES("{\"metric\": 1}"), "rule 1: 'metric' is not a string"},
        {RULES("{\"metric\": \"overflows\"}"), "rule 1: there is no figure 'overflows'"},
        {RULES("{\"metric\": \"max_abs_at\"}"), "rule 1: there is no figure 'max_abs_at'"},
        {RULES("{\"op\": \"=\"}"), "rule 1: '=' is no comparison (< <= > >= == !=)"},
        {RULES("{\"op\": null}"), "rule 1: 'op' is not a string"},
        {RULES("{\"value\": true}"), "rule 1: 'value' is not a number, \"inf\" or \"-inf\""},
        {RULES("{\"value\": \"nan\"}"), "rule 1: 'value' is not a number, \"inf\" or \"-inf\""},
        {RULES("{\"value\": \"0\"}"), "rule 1: 'value' is not a number, \"inf\" or \"-inf\""},
        {RULES("{\"level\": \"warning\"}"),
         "rule 1: 'level' is not \"off\", \"warn\" or \"error\""},
        {RULES("{\"level\": 1}"), "rule 1: 'level' is not \"off\", \"warn\" or \"error\""},
        {RULES("{\"optional\": 1}"), "rule 1: 'optional' is not true or false"},
        {RULES("{\"tensors\": [\"*\"]}"), "rule 1: 'tensors' is not a string"},
        {RULES("{\"tensors\": \"a[b\"}"), "rule 1: pattern 'a[b': a [ is not closed"},
        {RULES("{\"to\": \"fp17\"}"), "rule 1: unknown format"},
        {RULES("{\"to\": [\"fp8\"]}"), "rule 1: 'to' is not a string"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gates gates = {0};
        struct error error;
        if (parse(bad[i].text, &gates, &error))
            fail_msg("%s is accepted", bad[i].text);
        if (strncmp(error.text, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %s", bad[i].text, error.text);
        gates_free(&gates);
    }
}

static void test_a_key_that_comes_twice(void **state)
{
    (void)state;
    struct gates gates = {0};
    struct error error;
    assert_false(parse(RULES("{\"op\": \">\", \"op\": \"<\"}"), &gates, &error));
    assert_non_null(strstr(error.text, "duplicate"));
    gates_free(&gates);
}

static void test_nesting_without_end(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct gates gates = {0};
    struct error error;
    for (int i = 0; i < 1000000; i++)
        buffer_puts(&text, "[");
    assert_false(parse(text.data, &gates, &error));
    assert_non_null(strstr(error.text, "depth"));
    gates_free(&gates);
    buffer_free(&text);
}

static void test_files(void **state)
{
    (void)state;
    char path[] = "/tmp/precheck-policy-XXXXXX";
    struct gates gates = {0};
    struct error error = {""};
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_false(policy_load(path, &gates, &error)); /* empty */
    assert_non_null(strstr(error.text, "line 1"));
    const char text[] = RULES("{" OVERFLOW "}");
    assert_int_equal(write(descriptor, text, sizeof text - 1), sizeof text - 1);
    assert_true(policy_load(path, &gates, &error));
    assert_int_equal(gates.count, 1);
    assert_int_equal(ftruncate(descriptor, (16 << 20) + 1), 0);
    assert_false(policy_load(path, &gates, &error));
    assert_string_equal(error.text, "is longer than 16777216 bytes");
    close(descriptor);
    unlink(path);
    assert_false(policy_load(path, &gates, &error));
    assert_string_equal(error.text, "No such file or directory");
    assert_false(policy_load("/", &gates, &error));
    assert_string_equal(error.text, "Is a directory");
    gates_free(&gates);
}

/* Judging. Overflows: of `norm` 1 in e4m3fn and none in bf16; of `bias` 2 and 1; elsewhere none. */

static const double norm[] = {1000, 1}, bias[] = {1000, 3.4e38}, weight[] = {1, 2};

static const struct sample_tensor tensors[] = {
    {"f.gguf", "l.0.norm", 1, {2}, norm},
    {"f.gguf", "l.0.bias", 1, {2}, bias},
    {"f.gguf", "l.0.weight", 1, {2}, weight},
    {"f.gguf", "l.0.empty", 1, {0}, weight},
};

/* What comes of --fail-on RULE (NULL for none) and a policy: one line a gate, then the verdict; or
 * the message. */
static char *judge(const char *fail_on, const char *policy)
{
    struct report report = sample_report("bf16,e4m3fn", 0, tensors, 4);
    struct gates gates = {0};
    struct error error = {""};
    struct buffer text = {0};
    bool *has = report.has_group;
    has[GROUP_INPUT] = has[GROUP_CAST] = has[GROUP_ERROR] = true;
    if ((fail_on && !gate_parse(fail_on, &gates, &error)) ||
        (policy && !parse(policy, &gates, &error)))
        fail_msg("%s", error.text);
    if (!gate_judge(&gates, &report, &error)) {
        assert_false(report.has_verdict);
        assert_int_equal(report.gate_count, 0);
        buffer_puts(&text, error.text);
    }
    for (size_t g = 0; g < report.gate_count; g++) {
        const struct report_gate *gate = &report.gates[g];
        double value =
            gate->value.kind == VALUE_REAL ? gate->value.real : (double)gate->value.count;
        buffer_printf(&text, "%s | %s | %s | %g | %s %s\n", gate->rule,
                      gate->tensor->tensor.name + 4, report.casts[gate->cast].format.name, value,
                      gate_level_names[gate->level], gate->pass ? "holds" : "fails");
    }
    if (report.has_verdict)
        buffer_puts(&text, report.pass ? "pass" : "fail");
    report_free(&report);
    gates_free(&gates);
    return text.data;
}

static void check_judgement(const char *fail_on, const char *policy, const char *expected)
{
    char *got = judge(fail_on, policy);
    assert_string_equal(got, expected);
    free(got);
}

static void test_patterns_and_formats(void **state)
{
    (void)state;
    check_judgement(NULL, RULES("{\"tensors\": \"*.norm\", " OVERFLOW "}"),
                    "*.norm: overflow > 0 | norm | bf16 | 0 | error holds\n"
                    "*.norm: overflow > 0 | norm | e4m3fn | 1 | error fails\n"
                    "fail");
    check_judgement(NULL, RULES("{\"to\": \"e4m3\", " OVERFLOW "}"),
                    "e4m3: overflow > 0 | norm | e4m3fn | 1 | error fails\n"
                    "e4m3: overflow > 0 | bias | e4m3fn | 2 | error fails\n"
                    "e4m3: overflow > 0 | weight | e4m3fn | 0 | error holds\n"
                    "fail");
}

static void test_warnings_do_not_fail(void **state)
{
    (void)state;
    check_judgement(NULL,
                    RULES("{\"tensors\": \"*.norm\", \"level\": \"warn\", " OVERFLOW "},"
                          "{\"tensors\": \"*.weight\", \"metric\": \"nan\", \"op\": \">\", "
                          "\"value\": 0, \"to\": \"bf16\"}"),
                    "*.norm: overflow > 0 | norm | bf16 | 0 | warn holds\n"
                    "*.norm: overflow > 0 | norm | e4m3fn | 1 | warn fails\n"
                    "*.weight: bf16: nan > 0 | weight | bf16 | 0 | error holds\n"
                    "pass");
}

static void test_the_last_match_wins(void **state)
{
    (void)state;
    check_judgement(NULL,
                    RULES("{\"to\": \"e4m3fn\", " OVERFLOW "},"
                          "{\"tensors\": \"*.norm\", \"metric\": \"overflow\", \"op\": \">\", "
                          "\"value\": 1},"
                          "{\"tensors\": \"*.bias\", \"level\": \"off\", \"metric\": \"overflow\"},"
                          "{\"tensors\": \"*.bias\", \"to\": \"bf16\", " OVERFLOW "}"),
                    "e4m3fn: overflow > 0 | weight | e4m3fn | 0 | error holds\n"
                    "*.norm: overflow > 1 | norm | bf16 | 0 | error holds\n"
                    "*.norm: overflow > 1 | norm | e4m3fn | 1 | error holds\n"
                    "*.bias: bf16: overflow > 0 | bias | bf16 | 1 | error fails\n"
                    "fail");
}

/* The bare and the dotted name are one figure; the count and the rate are two. */
static void test_figures_are_told_apart(void **state)
{
    (void)state;
    check_judgement(
        NULL,
        RULES("{\"to\": \"bf16\", \"metric\": \"count\", \"op\": \"<\", \"value\": 1},"
              "{\"to\": \"bf16\", \"metric\": \"error.count\", \"op\": \"<\", \"value\": 2},"
              "{\"to\": \"bf16\", \"tensors\": \"*.norm\", " OVERFLOW "},"
              "{\"to\": \"bf16\", \"tensors\": \"*.norm\", \"metric\": \"overflow_rate\", "
              "\"op\": \">\", \"value\": 0},"
              "{\"to\": \"bf16\", \"tensors\": \"*.norm\", \"metric\": \"bits\", \"op\": \">\", "
              "\"value\": 16},"
              "{\"to\": \"bf16\", \"tensors\": \"*.norm\", \"metric\": \"scale\", \"op\": \"<\", "
              "\"value\": 1}"),
        "bf16: error.count < 2 | norm | bf16 | 2 | error holds\n"
        "bf16: error.count < 2 | bias | bf16 | 1 | error fails\n"
        "bf16: error.count < 2 | weight | bf16 | 2 | error holds\n"
        "*.norm: bf16: overflow > 0 | norm | bf16 | 0 | error holds\n"
        "*.norm: bf16: overflow_rate > 0 | norm | bf16 | 0 | error holds\n"
        "*.norm: bf16: bits > 16 | norm | bf16 | 16 | error holds\n"
        "*.norm: bf16: scale < 1 | norm | bf16 | 1 | error holds\n"
        "fail");
}

static void test_fail_on_always_applies(void **state)
{
    (void)state;
    check_judgement(
        "e4m3fn: overflow > 1",
        RULES("{\"metric\": \"overflow\", \"level\": \"off\"},"
              "{\"tensors\": \"*.norm\", \"to\": \"e4m3fn\", \"level\": \"warn\", " OVERFLOW "}"),
        "e4m3fn: overflow > 1 | norm | e4m3fn | 1 | error holds\n"
        "e4m3fn: overflow > 1 | bias | e4m3fn | 2 | error fails\n"
        "e4m3fn: overflow > 1 | weight | e4m3fn | 0 | error holds\n"
        "*.norm: e4m3fn: overflow > 0 | norm | e4m3fn | 1 | warn fails\n"
        "fail");
}

static void test_a_rule_that_finds_nothing(void **state)
{
    (void)state;
#define WEIGHTS "{\"tensors\": \"*.weight\", \"to\": \"bf16\", " OVERFLOW "}"
    static const struct {
        const char *rule, *message;
    } rules[] = {
        {"\"tensors\": \"*.nrom\", " OVERFLOW,
         "rule '*.nrom: overflow > 0': no tensor with elements has such a name"},
        {"\"tensors\": \"*.empty\", " OVERFLOW,
         "rule '*.empty: overflow > 0': no tensor with elements has such a name"},
        {"\"tensors\": \"*.nrom\", \"metric\": \"overflow\", \"level\": \"off\"",
         "rule '*.nrom: overflow off': no tensor with elements has such a name"},
        {"\"to\": \"fp16\", " OVERFLOW,
         "rule 'fp16: overflow > 0': fp16 is not among the formats of --to"},
        {"\"to\": \"fp8\", " OVERFLOW,
         "rule 'fp8: overflow > 0': e5m2 is not among the formats of --to"},
        {"\"metric\": \"update.lost\", \"op\": \">\", \"value\": 0",
         "rule 'update.lost > 0': there is no 'update' in this report (see --update)"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct buffer text = {0};
        buffer_printf(&text, RULES(WEIGHTS ", {%s}"), rules[i].rule);
        check_judgement(NULL, text.data, rules[i].message);
        text.length = 0;
        buffer_printf(&text, RULES("{%s, \"optional\": true}, " WEIGHTS), rules[i].rule);
        bool is_fp8 = strstr(rules[i].rule, "fp8");
        check_judgement(NULL, text.data,
                        is_fp8 ? "fp8: overflow > 0 | norm | e4m3fn | 1 | error fails\n"
                                 "fp8: overflow > 0 | bias | e4m3fn | 2 | error fails\n"
                                 "fp8: overflow > 0 | weight | e4m3fn | 0 | error holds\n"
                                 "*.weight: bf16: overflow > 0 | weight | bf16 | 0 | error holds\n"
                                 "fail"
                               : "*.weight: bf16: overflow > 0 | weight | bf16 | 0 | error holds\n"
                                 "pass");
        buffer_free(&text);
    }
}

static void test_nothing_to_judge(void **state)
{
    (void)state;
    check_judgement(NULL, RULES("{\"metric\": \"overflow\", \"level\": \"off\"}"),
                    "no rule has anything to judge");
    check_judgement(NULL, RULES("{\"tensors\": \"x\", \"optional\": true, " OVERFLOW "}"),
                    "no rule has anything to judge");
}

/* A rule that always is overruled has found its tensors all the same. */
static void test_overruled_rules(void **state)
{
    (void)state;
    check_judgement(NULL,
                    RULES("{\"tensors\": \"*.weight\", \"to\": \"bf16\", " OVERFLOW "},"
                          "{\"tensors\": \"*.w*\", \"to\": \"bf16\", " OVERFLOW "}"),
                    "*.w*: bf16: overflow > 0 | weight | bf16 | 0 | error holds\n"
                    "pass");
}

/* Many tensors that share their casts, and rules that each match a part of them. */
static void test_many_tensors_take_no_time(void **state)
{
    (void)state;
    enum { TENSORS = 20000, RULE_COUNT = 20 };
    const char *given = getenv("PRECHECK_TEST_TENSORS");
    size_t count = given ? strtoul(given, NULL, 0) : TENSORS;
    struct sample_tensor one = {"f.gguf", "x", 1, {2}, weight};
    struct report report = sample_report("fp16,bf16,e4m3fn,e5m2", 0, &one, 1);
    struct report_tensor *first = report.tensors, *all = allocate(count, sizeof *all);
    char(*names)[64] = allocate(count, sizeof *names);
    struct gates gates = {0};
    struct error error = {""};
    struct buffer policy = {0};
    report.has_group[GROUP_CAST] = report.has_group[GROUP_INPUT] = true;
    for (size_t t = 0; t < count; t++) {
        all[t] = *first;
        snprintf(names[t], sizeof *names, "model.layers.%zu.self_attn.q_proj.weight", t);
        all[t].tensor.name = names[t];
    }
    buffer_puts(&policy, "{\"version\": 1, \"rules\": [");
    for (int r = 0; r < RULE_COUNT; r++)
        buffer_printf(&policy, "%s{\"tensors\": \"*.%d*.*proj*.weight\", " OVERFLOW "}",
                      r ? ", " : "", r % 10);
    buffer_puts(&policy, "]}");
    assert_true(parse(policy.data, &gates, &error));
    report.tensors = all;
    report.tensor_count = count;

    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_true(gate_judge(&gates, &report, &error));
    clock_gettime(CLOCK_MONOTONIC, &end);
    double took =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    if (given)
        print_message("%zu gates in %g s\n", report.gate_count, took);
    assert_int_equal(report.gate_count, 4 * count); /* each matches one of the last ten rules */
    assert_true(took < 5);

    report.tensors = first;
    report.tensor_count = 1;
    report_free(&report);
    gates_free(&gates);
    buffer_free(&policy);
    free(names);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_is_shown_as_on_the_command_line),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_a_key_that_comes_twice),
        cmocka_unit_test(test_nesting_without_end),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_patterns_and_formats),
        cmocka_unit_test(test_warnings_do_not_fail),
        cmocka_unit_test(test_the_last_match_wins),
        cmocka_unit_test(test_figures_are_told_apart),
        cmocka_unit_test(test_fail_on_always_applies),
        cmocka_unit_test(test_a_rule_that_finds_nothing),
        cmocka_unit_test(test_nothing_to_judge),
        cmocka_unit_test(test_overruled_rules),
        cmocka_unit_test(test_many_tensors_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

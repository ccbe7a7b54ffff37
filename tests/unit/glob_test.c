/* Patterns of names: cases, hostile patterns, and a comparison with a matcher that tries it all. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/glob.h"
#include "sample_report.h"

#include <cmocka.h> /* last: its fail() is a macro */

static const struct {
    const char *pattern, *name;
    bool matches;
} cases[] = {
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "a.b/c", true},
    {"**", "", true},
    {"?", "", false},
    {"?", "a", true},
    {"?", "ab", false},
    {"*?", "", false},
    {"*norm*", "model.layers.0.input_layernorm.weight", true},
    {"*norm*", "model.layers.0.mlp.weight", false},
    {"*.weight", "a.weight", true},
    {"*.weight", "a.weight.b", false},
    {"*.weight", ".weight", true},
    {"a*b*c", "abc", true},
    {"a*b*c", "aXbXbXc", true},
    {"a*b*c", "aXcXb", false},
    {"*aab", "aaaab", true},
    {"layers.[0-9].*", "layers.7.w", true},
    {"layers.[0-9].*", "layers.17.w", false},
    {"[abc]", "b", true},
    {"[abc]", "d", false},
    {"[!abc]", "d", true},
    {"[^abc]", "b", false},
    {"[!abc]", "", false},
    {"[]]", "]", true},
    {"[!]]", "]", false},
    {"[]a]x", "ax", true},
    {"[a-]", "-", true},
    {"[-a]", "-", true},
    {"[!-]", "-", false},
    {"[a\\-c]", "b", false},
    {"[a\\-c]", "-", true},
    {"[\\]]", "]", true},
    {"[*?]", "*", true},
    {"[*?]", "a", false},
    {"[[]", "[", true},
    {"]", "]", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\\\", "\\", true},
    {"\\[a]", "[a]", true},
    {"a\\b", "ab", true},
    /* UTF-8, and bytes that are none. */
    {"?", "\xC3\xA9", true},
    {"??", "\xC3\xA9", false},
    {"?", "\xE2\x82\xAC", true},
    {"?", "\xF0\x9F\x98\x80", true},
    {"[\xC3\xA0-\xC3\xBF]", "\xC3\xA9", true},
    {"[\xC3\xA0-\xC3\xBF]", "\xC3\x80", false},
    {"[!a]", "\xC3\xA9", true},
    {"\xC3\xA9*", "\xC3\xA9t\xC3\xA9", true},
    {"?", "\xA9", true},
    {"??", "\xE2\x82", true},
    {"\xFF*", "\xFF\xFE", true},
    {"[\xFE\xFF]", "\xFF", true},
    {"??", "\xC0\x80", true},
    {"???", "\xED\xA0\x80", true},
    {"????", "\xF4\x90\x80\x80", true},
    {"*\xA9", "\xC3\xA9", false},
    {"\x1b*", "\x1b[31m", true},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        if (!glob_valid(cases[i].pattern, &error))
            fail_msg("%s", error.text);
        if (glob_matches(cases[i].pattern, cases[i].name) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
    }
}

static void test_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *message;
    } invalid[] = {
        {"[", "pattern '[': a [ is not closed"},
        {"a[bc", "pattern 'a[bc': a [ is not closed"},
        {"[]", "pattern '[]': a [ is not closed"},
        {"[!]", "pattern '[!]': a [ is not closed"},
        {"[a-", "pattern '[a-': a [ is not closed"},
        {"[\\", "pattern '[\\': a [ is not closed"},
        {"[\\]", "pattern '[\\]': a [ is not closed"},
        {"*\\", "pattern '*\\' ends with a backslash"},
        {"[z-a]", "pattern '[z-a]': a range that runs backwards"},
        {"[[:alpha:]]", "pattern '[[:alpha:]]': classes such as [:alpha:] are not known"},
        {"[a[=b=]]", "pattern '[a[=b=]]': classes such as [:alpha:] are not known"},
    };
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct error error = {""};
        assert_false(glob_valid(invalid[i].pattern, &error));
        assert_string_equal(error.text, invalid[i].message);
        assert_false(glob_matches(invalid[i].pattern, "a"));
        assert_false(glob_matches(invalid[i].pattern, invalid[i].pattern));
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Exponential where stars are tried out one within the other. */
static void test_hostile_patterns_take_no_time(void **state)
{
    (void)state;
    static const char *const parts[] = {"a*", "*a", "?*", "[ab]*", "*[!c]", "**", "\\a*"};
    char name[1001];
    memset(name, 'a', 1000);
    name[1000] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char pattern[512] = "";
        while (strlen(pattern) < 200)
            strcat(pattern, parts[i]);
        strcat(pattern, "b");
        double start = seconds();
        assert_false(glob_matches(pattern, name));
        double took = seconds() - start;
        if (took > 0.1) /* of some 1e5 steps */
            fail_msg("%s: %g s", parts[i], took);
    }
}

/* Tries everything; bytes only, since the names are ASCII. */
static bool brute(const char *pattern, const char *name)
{
    if (!*pattern)
        return !*name;
    if (*pattern == '*')
        return brute(pattern + 1, name) || (*name && brute(pattern, name + 1));
    if (!*name)
        return false;
    if (*pattern == '?')
        return brute(pattern + 1, name + 1);
    if (*pattern != '[') {
        pattern += *pattern == '\\';
        return *pattern == *name && brute(pattern + 1, name + 1);
    }
    bool set[256] = {0};
    const char *at = pattern + 1;
    bool negated = *at == '!' || *at == '^';
    at += negated;
    const char *begin = at;
    while (at == begin || *at != ']') {
        at += *at == '\\';
        unsigned char low = (unsigned char)*at++, high = low;
        if (*at == '-' && at[1] != ']') {
            at += 1 + (at[1] == '\\');
            high = (unsigned char)*at++;
        }
        for (unsigned c = low; c <= high; c++)
            set[c] = true;
    }
    return set[(unsigned char)*name] != negated && brute(at + 1, name + 1);
}

static void random_text(uint64_t *random, const char *alphabet, char *text, size_t most)
{
    size_t length = sample_random(random) % (most + 1), letters = strlen(alphabet);
    for (size_t i = 0; i < length; i++)
        text[i] = alphabet[sample_random(random) % letters];
    text[length] = '\0';
}

static void test_against_brute_force(void **state)
{
    (void)state;
    const char *given = getenv("PRECHECK_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : 20, random = seed;
    size_t matched = 0, compared = 0;
    for (int i = 0; i < 1000000; i++) {
        char pattern[12], name[12];
        struct error error;
        random_text(&random, i % 2 ? "aabb**?" : "ab**?[]!^-\\", pattern, 9);
        random_text(&random, i % 2 ? "ab" : "ab-]!", name, 7);
        if (!glob_valid(pattern, &error))
            continue;
        bool expected = brute(pattern, name);
        if (glob_matches(pattern, name) != expected)
            fail_msg("'%s' and '%s', seed %" PRIu64, pattern, name, seed);
        matched += expected;
        compared++;
    }
    assert_true(compared > 500000 && matched > 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_hostile_patterns_take_no_time),
        cmocka_unit_test(test_against_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cli/options/option_table.h"

#include <stdbool.h>
#include <stddef.h>

#include "report/ranking.h"

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, letter, name, argument, takes, use, section, help) \
    {letter, name, argument, TAKES_##takes, USE_##use, SECTION_##section, help},
#include "cli/options/options.def"
#undef OPTION
};

static const struct word policies[] = {{"inf", false}, {"saturate", true}, {NULL, 0}};
static const struct word orders[] = {{"worst", ORDER_WORST},         {"name", ORDER_NAME},
                                     {"size", ORDER_SIZE},           {"overflow", ORDER_OVERFLOW},
                                     {"underflow", ORDER_UNDERFLOW}, {"sqnr", ORDER_SQNR},
                                     {"lost", ORDER_LOST},           {NULL, 0}};
static const struct word whens[] = {
    {"auto", WHEN_AUTO}, {"always", WHEN_ALWAYS}, {"never", WHEN_NEVER}, {NULL, 0}};
static const struct word shells[] = {
    {"bash", SHELL_BASH}, {"zsh", SHELL_ZSH}, {"fish", SHELL_FISH}, {NULL, 0}};

const struct word *option_words(enum option_value takes)
{
    static const struct word *const words[TAKES_COUNT] = {[TAKES_POLICY] = policies,
                                                          [TAKES_ORDER] = orders,
                                                          [TAKES_WHEN] = whens,
                                                          [TAKES_SHELL] = shells};
    return words[takes];
}

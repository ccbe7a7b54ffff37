#include "cli/write/shard_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "input/tensor.h"
#include "output/escape.h"

/* Where among the names both are. */
struct shard_entry {
    size_t name, file;
};

static size_t keep(struct shard_index *index, const char *text)
{
    size_t start = index->names.length;
    buffer_add(&index->names, text, strlen(text) + 1);
    return start;
}

void shard_index_begin_file(struct shard_index *index, const char *file)
{
    index->file = keep(index, file);
}

void shard_index_add(struct shard_index *index, const char *name)
{
    index->entries = room_for_one(index->entries, index->count, sizeof *index->entries);
    index->entries[index->count++] = (struct shard_entry){keep(index, name), index->file};
}

/* Of one name in the order of the files, so that messages do not change from run to run. */
static int compare_entries(const void *a, const void *b, void *names)
{
    const struct shard_entry *left = a, *right = b;
    int order = strcmp((char *)names + left->name, (char *)names + right->name);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

bool shard_index_arrange(struct shard_index *index, struct error *error)
{
    const char *names = index->names.data;
    const struct shard_entry *entries = index->entries;
    if (index->count)
        qsort_r(index->entries, index->count, sizeof *entries, compare_entries, index->names.data);
    for (size_t i = 1; i < index->count; i++)
        if (strcmp(names + entries[i - 1].name, names + entries[i].name) == 0)
            return fail(error, ABOUT_TENSOR "it is in two files, %s and %s",
                        names + entries[i].name, names + entries[i - 1].file,
                        names + entries[i].file);
    return true;
}

bool shard_index_write(const struct shard_index *index, uint64_t bytes, struct file *file,
                       struct error *error)
{
    struct buffer text = {0};
    bool written = true;
    buffer_printf(&text, "{\n  \"metadata\": {\n    \"total_size\": %" PRIu64 "\n  },\n", bytes);
    buffer_puts(&text, "  \"weight_map\": {");
    for (size_t i = 0; written && i < index->count; i++) {
        buffer_puts(&text, i ? ",\n    " : "\n    ");
        escape_json(&text, index->names.data + index->entries[i].name);
        buffer_puts(&text, ": ");
        escape_json(&text, index->names.data + index->entries[i].file);
        written = file_write(file, text.data, text.length, error);
        text.length = 0;
    }
    buffer_puts(&text, "\n  }\n}\n");
    written = written && file_write(file, text.data, text.length, error);
    buffer_free(&text);
    return written;
}

void shard_index_free(struct shard_index *index)
{
    buffer_free(&index->names);
    free(index->entries);
    *index = (struct shard_index){0};
}

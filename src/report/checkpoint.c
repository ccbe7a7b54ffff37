#include "report/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "report/advice.h"

enum role { ROLE_STATE, ROLE_MASTER };

/* What optimizers call their tensors: a whole part of a dotted name, or the parts that stand here.
 * From the sources of PyTorch (torch.optim), Apex and Megatron-LM (FP16_Optimizer,
 * Float16OptimizerWithFloat16Params), DeepSpeed (ZeRO stages 1 to 3) and bitsandbytes. */
static const struct part {
    const char *name;
    enum role role;
    const char *scheme;
} parts[] = {
    {"exp_avg", ROLE_STATE, "PyTorch Adam"},
    {"exp_avg_sq", ROLE_STATE, "PyTorch Adam"},
    {"max_exp_avg_sq", ROLE_STATE, "PyTorch AMSGrad"},
    {"exp_inf", ROLE_STATE, "PyTorch Adamax"},
    {"momentum_buffer", ROLE_STATE, "PyTorch SGD"},
    {"square_avg", ROLE_STATE, "PyTorch RMSprop"},
    {"acc_delta", ROLE_STATE, "PyTorch Adadelta"},
    {"exp_avg_sq_row", ROLE_STATE, "Adafactor"},
    {"exp_avg_sq_col", ROLE_STATE, "Adafactor"},
    {"state1", ROLE_STATE, "bitsandbytes"},
    {"state2", ROLE_STATE, "bitsandbytes"},
    {"fp32_from_fp16_params", ROLE_MASTER, "Apex and Megatron-LM"},
    {"fp32_from_fp16", ROLE_MASTER, "Apex and Megatron-LM"},
    {"single_partition_of_fp32_groups", ROLE_MASTER, "DeepSpeed ZeRO"},
    {"fp32_flat_groups", ROLE_MASTER, "DeepSpeed ZeRO-3"},
    {"fp32_groups_flat", ROLE_MASTER, "DeepSpeed"},
    {"fp32_param", ROLE_MASTER, "Megatron-LM"},
    {"master_param", ROLE_MASTER, "master_param"},
    {"master_params", ROLE_MASTER, "master_params"},
    {"master_weight", ROLE_MASTER, "master_weight"},
    {"master_weights", ROLE_MASTER, "master_weights"},
};

enum { PARTS = sizeof parts / sizeof *parts };

/* The first part of the name that is in the table; PARTS where none is. */
static size_t find_part(const char *name)
{
    while (*name) {
        size_t length = strcspn(name, "./");
        for (size_t p = 0; p < PARTS; p++)
            if (strlen(parts[p].name) == length && strncmp(parts[p].name, name, length) == 0)
                return p;
        name += length + (name[length] != '\0');
    }
    return PARTS;
}

static void add_size(struct report *report, const struct tensor *tensor)
{
    size_t s = 0;
    while (s < report->size_count && strcmp(report->sizes[s].dtype.name, tensor->dtype.name) != 0)
        s++;
    if (s == report->size_count) {
        report->sizes = room_for_one(report->sizes, report->size_count, sizeof *report->sizes);
        report->sizes[report->size_count++] = (struct report_size){.dtype = tensor->dtype};
    }
    report->sizes[s].tensors++;
    report->sizes[s].bytes += tensor_bytes(tensor);
    report->bytes += tensor_bytes(tensor);
}

/* The largest first; of equals by name. */
static int by_bytes(const void *a, const void *b)
{
    const struct report_size *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return strcmp(left->dtype.name, right->dtype.name);
}

static void measure_sizes(struct report *report)
{
    for (size_t t = 0; t < report->tensor_count; t++)
        add_size(report, &report->tensors[t].tensor);
    if (report->size_count)
        qsort(report->sizes, report->size_count, sizeof *report->sizes, by_bytes);
}

uint64_t report_bytes_after(const struct report *report, size_t cast)
{
    return report->total_elements * (uint64_t)report->casts[cast].format.code_bytes;
}

/* "3 of 12 tensors are", "both tensors are", "the tensor is" */
static void put_tensors(struct buffer *out, uint64_t some, uint64_t all)
{
    if (some < all)
        buffer_printf(out, "%" PRIu64 " of %" PRIu64 " tensors %s", some, all,
                      some == 1 ? "is" : "are");
    else
        buffer_printf(out, all == 1 ? "the tensor is" : "all %" PRIu64 " tensors are", all);
}

static void advise_on_narrow(struct report *report)
{
    enum { NARROW_BITS = 16 };
    for (size_t s = 0; s < report->size_count; s++) {
        const struct report_size *size = &report->sizes[s];
        if (size->dtype.format.bits > NARROW_BITS || strcmp(size->dtype.name, "f64") == 0)
            continue;
        struct buffer text = {0};
        put_tensors(&text, size->tensors, report->tensor_count);
        buffer_printf(&text, " %s already: what the cast to that has lost is not in these figures",
                      size->dtype.name);
        report_advise_with(report, "already-narrow", &text);
    }
}

/* How often each part of the table occurs; returns how many tensors without any are in fp32 or
 * more: weights, which are their own master copy. */
static uint64_t count_parts(const struct report *report, uint64_t counts[PARTS])
{
    uint64_t weights = 0;
    for (size_t t = 0; t < report->tensor_count; t++) {
        const struct tensor *tensor = &report->tensors[t].tensor;
        bool full = tensor->dtype.bytes >= 4;
        size_t part = find_part(tensor->name);
        if (part == PARTS)
            weights += full && tensor->elements > 1; /* a step count is none */
        else if (parts[part].role == ROLE_STATE || full)
            counts[part]++;
    }
    return weights;
}

static uint64_t count_role(const uint64_t counts[PARTS], enum role role)
{
    uint64_t count = 0;
    for (size_t p = 0; p < PARTS; p++)
        count += parts[p].role == role ? counts[p] : 0;
    return count;
}

/* "exp_avg, exp_avg_sq (PyTorch Adam)" */
static void put_names(struct buffer *out, const uint64_t counts[PARTS], enum role role)
{
    const char *scheme = NULL;
    for (size_t p = 0; p < PARTS; p++) {
        if (parts[p].role != role || !counts[p])
            continue;
        if (scheme && strcmp(scheme, parts[p].scheme) != 0)
            buffer_printf(out, " (%s)", scheme);
        buffer_printf(out, "%s%s", scheme ? ", " : "", parts[p].name);
        scheme = parts[p].scheme;
    }
    buffer_printf(out, " (%s)", scheme);
}

static void advise_on_optimizer(struct report *report)
{
    uint64_t counts[PARTS] = {0};
    uint64_t weights = count_parts(report, counts);
    uint64_t states = count_role(counts, ROLE_STATE), masters = count_role(counts, ROLE_MASTER);
    if (!states)
        return;
    struct buffer text = {0};
    put_tensors(&text, states, report->tensor_count);
    buffer_puts(&text, " optimizer states: ");
    put_names(&text, counts, ROLE_STATE);
    if (masters) {
        buffer_printf(&text, "; %" PRIu64 " fp32 master cop%s beside them: ", masters,
                      masters == 1 ? "y is" : "ies are");
        put_names(&text, counts, ROLE_MASTER);
        buffer_puts(&text, ". Keep those in fp32");
    } else if (weights) {
        buffer_printf(&text,
                      "; the %" PRIu64 " weight%s in fp32 beside them %s the master cop%s. "
                      "Keep %s in fp32",
                      weights, weights == 1 ? "" : "s", weights == 1 ? "is" : "are",
                      weights == 1 ? "y" : "ies", weights == 1 ? "it" : "those");
    } else {
        buffer_puts(&text, "; no fp32 master copy is beside them. Keep one before weights or "
                           "states are cast");
    }
    report_advise_with(report, masters || weights ? "keep-master-copies" : "no-master-copy", &text);
}

void report_checkpoint(struct report *report)
{
    measure_sizes(report);
    if (report->tensor_count < 2) /* its heading says what it is */
        return;
    advise_on_narrow(report);
    advise_on_optimizer(report);
}

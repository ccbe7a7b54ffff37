/* From the calls in a checkpoint's pickle to tensors, after torch/_utils.py, torch/_tensor.py and
 * torch/storage.py (PyTorch 1.13 and 2.x): what they would rebuild, seen from its arguments. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "input/container.h"
#include "input/torch.h"

enum { TORCH_RANK_LIMIT = RANK_LIMIT - 1 }; /* PyTorch's 64 */

/* Element types. */

enum class { FLOAT, COMPLEX, WHOLE, OTHER };

static const struct type {
    const char *name;    /* torch.NAME */
    const char *storage; /* torch.NAME that has elements of the type, or NULL */
    const char *dtype;   /* as the report has it; of a complex type, a component's */
    unsigned bytes;
    enum class class;
} types[] = {
    {"float32", "FloatStorage", "f32", 4, FLOAT},
    {"float64", "DoubleStorage", "f64", 8, FLOAT},
    {"float16", "HalfStorage", "f16", 2, FLOAT},
    {"bfloat16", "BFloat16Storage", "bf16", 2, FLOAT},
    {"float8_e4m3fn", NULL, "e4m3fn", 1, FLOAT},
    {"float8_e5m2", NULL, "e5m2", 1, FLOAT},
    {"float8_e4m3fnuz", NULL, "e4m3fnuz", 1, FLOAT},
    {"float8_e5m2fnuz", NULL, "e5m2fnuz", 1, FLOAT},
    {"complex32", NULL, "f16", 4, COMPLEX},
    {"complex64", "ComplexFloatStorage", "f32", 8, COMPLEX},
    {"complex128", "ComplexDoubleStorage", "f64", 16, COMPLEX},
    {"int64", "LongStorage", "i64", 8, WHOLE},
    {"int32", "IntStorage", "i32", 4, WHOLE},
    {"int16", "ShortStorage", "i16", 2, WHOLE},
    {"int8", "CharStorage", "i8", 1, WHOLE},
    {"uint64", NULL, "u64", 8, WHOLE},
    {"uint32", NULL, "u32", 4, WHOLE},
    {"uint16", NULL, "u16", 2, WHOLE},
    {"uint8", "ByteStorage", "u8", 1, WHOLE},
    {"uint8", "UntypedStorage", "u8", 1, WHOLE},
    {"uint8", "_UntypedStorage", "u8", 1, WHOLE}, /* of 1.12 */
    {"bool", "BoolStorage", "bool", 1, WHOLE},
    {"qint8", "QInt8Storage", "qint8", 1, OTHER},
    {"quint8", "QUInt8Storage", "quint8", 1, OTHER},
    {"qint32", "QInt32Storage", "qint32", 4, OTHER},
    {"quint4x2", "QUInt4x2Storage", "quint4x2", 1, OTHER},
    {"quint2x4", "QUInt2x4Storage", "quint2x4", 1, OTHER},
    {"float8_e8m0fnu", NULL, "float8_e8m0fnu", 1, OTHER},
    {"float4_e2m1fn_x2", NULL, "float4_e2m1fn_x2", 1, OTHER},
    {"bits8", NULL, "bits8", 1, OTHER},
    {"bits16", NULL, "bits16", 2, OTHER},
    {"bits1x8", NULL, "bits1x8", 1, OTHER},
    {"bits2x4", NULL, "bits2x4", 1, OTHER},
    {"bits4x2", NULL, "bits4x2", 1, OTHER},
};

enum { TYPE_COUNT = sizeof types / sizeof *types };

static const struct type *type_named(struct pickle_text name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (pickle_text_is(name, types[i].name))
            return &types[i];
    return NULL;
}

static const struct type *type_of_storage(struct pickle_text name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].storage && pickle_text_is(name, types[i].storage))
            return &types[i];
    return NULL;
}

/* Storages. */

static bool count_from(const struct pickle *pickle, pickle_value value, uint64_t *count)
{
    int64_t integer = -1;
    pickle_integer(pickle, value, &integer);
    *count = (uint64_t)integer;
    return integer >= 0;
}

/* Views, which only PyTorch before 0.4 wrote: the key of the view, its offset and size, or None. */
static bool read_storage_view(const struct pickle *pickle, pickle_value value,
                              struct torch_storage *storage)
{
    pickle_value parts[3];
    uint64_t end;
    if (pickle_kind(pickle, value) == PICKLE_NONE)
        return true;
    return pickle_elements(pickle, value, parts, 3) == 3 &&
           count_from(pickle, parts[1], &storage->view_offset) &&
           count_from(pickle, parts[2], &storage->view_count) &&
           checked_add(storage->view_offset, storage->view_count, &end) && end <= storage->count;
}

/* ('storage', class, key, location, number of elements[, view]); torch/serialization.py, _save and
 * _legacy_save. */
bool torch_storage(const struct pickle *pickle, pickle_value value, struct torch_storage *storage)
{
    pickle_value id, parts[6];
    struct pickle_text word, module;
    *storage = (struct torch_storage){0};
    if (pickle_kind(pickle, value) != PICKLE_PERSISTENT ||
        pickle_elements(pickle, value, &id, 1) != 1)
        return false;
    size_t count = pickle_elements(pickle, id, parts, 6);
    if (count < 5 || !pickle_text(pickle, parts[0], &word) || !pickle_text_is(word, "storage") ||
        !pickle_global(pickle, parts[1], &module, &storage->type) ||
        !pickle_text(pickle, parts[2], &storage->key) ||
        !count_from(pickle, parts[4], &storage->count))
        return false;
    const struct type *type = type_of_storage(storage->type);
    storage->element_bytes = type ? type->bytes : 0;
    storage->view_count = storage->count;
    return count < 6 || read_storage_view(pickle, parts[5], storage);
}

/* Calls. */

/* How a function's arguments lead to a tensor. */
enum way { NO_WAY, REBUILD, REBUILD_TYPED, WRAPPED, WRAPPED_CALL };

struct torch_function {
    const char *module, *name;
    enum torch_what what;
    enum way way;               /* of tensors */
    const char *dtype, *reason; /* of what is skipped */
};

static const struct torch_function functions[] = {
    {"torch._utils", "_rebuild_tensor_v2", .what = TORCH_TENSOR, .way = REBUILD},
    {"torch._utils", "_rebuild_parameter", .what = TORCH_TENSOR, .way = WRAPPED},
    {"collections", "OrderedDict", .what = TORCH_MAPPING},
    {"torch._utils", "_rebuild_tensor", .what = TORCH_TENSOR, .way = REBUILD},
    {"torch._utils", "_rebuild_tensor_v3", .what = TORCH_TENSOR, .way = REBUILD_TYPED},
    {"torch._utils", "_rebuild_parameter_with_state", .what = TORCH_TENSOR, .way = WRAPPED},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", .what = TORCH_TENSOR,
     .way = WRAPPED},
    {"torch._tensor", "_rebuild_from_type_v2", .what = TORCH_TENSOR, .way = WRAPPED_CALL},
    {"torch._tensor", "_rebuild_from_type", .what = TORCH_TENSOR, .way = WRAPPED_CALL},
    {"torch.tensor", "_rebuild_from_type", .what = TORCH_TENSOR, .way = WRAPPED_CALL},
    {"torch._utils", "_rebuild_sparse_tensor", .what = TORCH_OTHER_TENSOR, .dtype = "sparse",
     .reason = "a sparse tensor"},
    {"torch._utils", "_rebuild_sparse_csr_tensor", .what = TORCH_OTHER_TENSOR, .dtype = "sparse",
     .reason = "a sparse tensor"},
    {"torch._utils", "_rebuild_qtensor", .what = TORCH_OTHER_TENSOR, .dtype = "quantized",
     .reason = "a quantized tensor"},
    {"torch._utils", "_rebuild_nested_tensor", .what = TORCH_OTHER_TENSOR, .dtype = "nested",
     .reason = "a nested tensor"},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", .what = TORCH_OTHER_TENSOR, .dtype = "meta",
     .reason = "a tensor without elements"},
    {"torch._utils", "_rebuild_wrapper_subclass", .what = TORCH_OTHER_TENSOR, .dtype = "subclass",
     .reason = "a tensor made of others"},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", .what = TORCH_OTHER_TENSOR,
     .dtype = "numpy", .reason = "a NumPy array"},
    {"torch._utils", "_rebuild_xla_tensor", .what = TORCH_OTHER_TENSOR, .dtype = "numpy",
     .reason = "a NumPy array"},
    {"collections", "deque", .what = TORCH_SEQUENCE},
    {"collections", "defaultdict", .what = TORCH_PLAIN},
    {"collections", "Counter", .what = TORCH_PLAIN},
    {"torch", "Size", .what = TORCH_PLAIN},
    {"torch", "device", .what = TORCH_PLAIN},
    {"torch.serialization", "_get_layout", .what = TORCH_PLAIN},
    {"torch.jit._pickle", "build_tensorlist", .what = TORCH_SEQUENCE},
    {"torch.jit._pickle", "build_intlist", .what = TORCH_PLAIN},
    {"torch.jit._pickle", "build_doublelist", .what = TORCH_PLAIN},
    {"torch.jit._pickle", "build_boollist", .what = TORCH_PLAIN},
    {"_codecs", "encode", .what = TORCH_PLAIN},
    /* Python 2 and 3. */
    {"copy_reg", "_reconstructor", .what = TORCH_PLAIN},
    {"copyreg", "_reconstructor", .what = TORCH_PLAIN},
    {"__builtin__", "set", .what = TORCH_SEQUENCE},
    {"builtins", "set", .what = TORCH_SEQUENCE},
    {"__builtin__", "frozenset", .what = TORCH_SEQUENCE},
    {"builtins", "frozenset", .what = TORCH_SEQUENCE},
    {"__builtin__", "complex", .what = TORCH_PLAIN},
    {"builtins", "complex", .what = TORCH_PLAIN},
    {"__builtin__", "bytearray", .what = TORCH_PLAIN},
    {"builtins", "bytearray", .what = TORCH_PLAIN},
};

static const struct torch_function *function_of(const struct pickle *pickle, pickle_value callable)
{
    struct pickle_text module, name;
    if (!pickle_global(pickle, callable, &module, &name))
        return NULL;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (pickle_text_is(name, functions[i].name) && pickle_text_is(module, functions[i].module))
            return &functions[i];
    return NULL;
}

static bool is_tensor(enum torch_what what)
{
    return what == TORCH_TENSOR || what == TORCH_OTHER_TENSOR;
}

/* A wrapper around a wrapper is as deep as writers go. */
enum { WRAPPER_LIMIT = 4 };

struct torch_call torch_call(const struct pickle *pickle, pickle_value object)
{
    static const struct torch_call unknown = {TORCH_UNKNOWN, PICKLE_NOTHING, NULL};
    pickle_value callable, arguments, parts[3];
    if (!pickle_call(pickle, object, &callable, &arguments))
        return unknown;
    for (int depth = 0; depth <= WRAPPER_LIMIT; depth++) {
        const struct torch_function *function = function_of(pickle, callable);
        if (!function || (depth && !is_tensor(function->what)))
            return unknown;
        if (function->way != WRAPPED && function->way != WRAPPED_CALL)
            return (struct torch_call){function->what, arguments, function};
        size_t count = pickle_elements(pickle, arguments, parts, 3);
        if (function->way == WRAPPED) {
            if (count < 1 || !pickle_call(pickle, parts[0], &callable, &arguments))
                return unknown;
        } else if (count == 3) { /* a function, a class, and the function's arguments */
            callable = parts[0];
            arguments = parts[2];
        } else {
            return unknown;
        }
    }
    return unknown;
}

/* Tensors. */

/* The arguments of _rebuild_tensor_v2 and its like. */
struct view {
    const struct type *type;
    struct pickle_text type_name;
    struct torch_storage storage;
    uint64_t offset; /* this and the strides in elements */
    unsigned rank;
    uint64_t shape[RANK_LIMIT], strides[RANK_LIMIT];
    bool altered; /* to be read as the conjugates or negatives of what is stored */
};

/* The tuple in torch.Size((2, 3)). */
static pickle_value inside_size(const struct pickle *pickle, pickle_value value)
{
    pickle_value callable, arguments, tuple;
    struct pickle_text module, name;
    bool is_size = pickle_call(pickle, value, &callable, &arguments) &&
                   pickle_global(pickle, callable, &module, &name) &&
                   pickle_text_is(name, "Size") &&
                   pickle_elements(pickle, arguments, &tuple, 1) == 1;
    return is_size ? tuple : value;
}

static bool read_numbers(const struct pickle *pickle, pickle_value value, const char *what,
                         uint64_t *numbers, unsigned *count, struct error *error)
{
    pickle_value parts[TORCH_RANK_LIMIT + 1];
    value = inside_size(pickle, value);
    enum pickle_kind kind = pickle_kind(pickle, value);
    if (kind != PICKLE_TUPLE && kind != PICKLE_LIST)
        return fail(error, "its %s are no tuple", what);
    *count = (unsigned)pickle_elements(pickle, value, parts, TORCH_RANK_LIMIT + 1);
    if (*count > TORCH_RANK_LIMIT)
        return fail(error, "more than %d dimensions", TORCH_RANK_LIMIT);
    for (unsigned i = 0; i < *count; i++)
        if (!count_from(pickle, parts[i], &numbers[i]))
            return fail(error, "one of its %s is negative or no integer", what);
    return true;
}

/* Newer versions write what else there is to say as {"conj": True} or {"neg": True}. */
static bool is_altered(const struct pickle *pickle, pickle_value metadata)
{
    struct pickle_cursor cursor = pickle_parts(pickle, metadata);
    struct pickle_part part;
    for (int i = 0; i < 4 && pickle_next(pickle, &cursor, &part); i++)
        if (part.role == PICKLE_PAIR && pickle_kind(pickle, part.value) == PICKLE_TRUE)
            return true;
    return false;
}

/* (storage, offset, size, stride, requires_grad, hooks[, dtype][, metadata]) */
static bool read_view(const struct pickle *pickle, const struct torch_call *call, struct view *view,
                      struct error *error)
{
    enum { STORAGE, OFFSET, SIZE, STRIDE, REQUIRES_GRAD, HOOKS, DTYPE, METADATA, MOST };
    pickle_value parts[MOST];
    struct pickle_text module;
    bool typed = call->function->way == REBUILD_TYPED;
    size_t metadata = typed ? METADATA : METADATA - 1;
    size_t count = pickle_elements(pickle, call->arguments, parts, MOST);
    unsigned strides = 0;
    *view = (struct view){0};
    if (count <= (typed ? DTYPE : STRIDE))
        return fail(error, "too few arguments");
    if (!torch_storage(pickle, parts[STORAGE], &view->storage))
        return fail(error, "its storage makes no sense");
    if (!count_from(pickle, parts[OFFSET], &view->offset))
        return fail(error, "its offset is negative or no integer");
    if (!read_numbers(pickle, parts[SIZE], "dimensions", view->shape, &view->rank, error) ||
        !read_numbers(pickle, parts[STRIDE], "strides", view->strides, &strides, error))
        return false;
    if (strides != view->rank)
        return fail(error, "%u dimensions, but %u strides", view->rank, strides);
    view->type_name = view->storage.type;
    if (typed && !pickle_global(pickle, parts[DTYPE], &module, &view->type_name))
        return fail(error, "its element type is none");
    view->type = typed ? type_named(view->type_name) : type_of_storage(view->type_name);
    view->altered = count > metadata && is_altered(pickle, parts[metadata]);
    return true;
}

/* Refuses a view that goes beyond its storage, in the pickle or in the file, and sets where its
 * first element is. */
static bool locate(const struct torch_file *file, const struct view *view, uint64_t elements,
                   uint64_t *offset, struct error *error)
{
    const struct torch_storage *storage = &view->storage;
    struct torch_place place = {0, 0};
    uint64_t claimed, before, bytes, last = view->offset, end;
    if (!file->find(file, storage->key, &place, error))
        return false;
    if (!checked_multiply(storage->count, storage->element_bytes, &claimed) ||
        claimed > place.bytes)
        return fail(error,
                    "truncated storage: %" PRIu64 " elements of %" PRIu64
                    " bytes expected, %" PRIu64 " bytes there",
                    storage->count, storage->element_bytes, place.bytes);
    /* No product of what is in the storage can overflow now. */
    before = storage->view_offset * storage->element_bytes;
    bytes = storage->view_count * storage->element_bytes;
    *offset = place.offset + before;
    if (elements == 0)
        return true;
    bool fits = true;
    for (unsigned i = 0; i < view->rank && fits; i++) {
        uint64_t span;
        fits = checked_multiply(view->shape[i] - 1, view->strides[i], &span) &&
               checked_add(last, span, &last);
    }
    fits = fits && checked_add(last, 1, &end) && checked_multiply(end, view->type->bytes, &end) &&
           end <= bytes;
    if (!fits)
        return fail(error, "its elements lie beyond its storage of %" PRIu64 " bytes", bytes);
    *offset += view->offset * view->type->bytes;
    return true;
}

/* Makes the strides those of a tensor without axes that repeat an element; sets `elements` to how
 * many there are. False where two indices may still stand for one element: as for PyTorch, every
 * stride has to lead beyond all that the smaller ones reach. */
static bool count_apart(const struct view *view, uint64_t *elements)
{
    uint64_t reach = 0, least = 0;
    *elements = 1;
    for (;;) {
        unsigned next = view->rank;
        bool twice = false;
        for (unsigned i = 0; i < view->rank; i++) {
            if (view->shape[i] == 1 || view->strides[i] <= least)
                continue;
            if (next == view->rank || view->strides[i] < view->strides[next]) {
                next = i;
                twice = false;
            } else if (view->strides[i] == view->strides[next]) {
                twice = true;
            }
        }
        if (next == view->rank)
            return true;
        if (twice || view->strides[next] <= reach)
            return false;
        least = view->strides[next];
        reach += (view->shape[next] - 1) * least;
        *elements *= view->shape[next];
    }
}

static bool is_c_order(const struct view *view)
{
    uint64_t expected = 1;
    for (unsigned i = view->rank; i-- > 0;) {
        if (view->shape[i] != 1 && view->strides[i] != expected)
            return false;
        expected *= view->shape[i];
    }
    return true;
}

/* A complex number is an axis of two components, real and imaginary. */
static void split_components(struct view *view)
{
    for (unsigned i = 0; i < view->rank; i++)
        view->strides[i] *= 2;
    view->shape[view->rank] = 2;
    view->strides[view->rank++] = 1;
}

static bool skip(struct torch_made *made, const char *dtype, const char *reason)
{
    snprintf(made->dtype, sizeof made->dtype, "%s", dtype);
    made->reason = reason;
    return true;
}

/* Why a tensor of that view is skipped, or NULL. */
static const char *reason_to_skip(const struct view *view, bool viewed)
{
    if (view->altered)
        return "stored as its conjugate or negative";
    if (viewed)
        return NULL;
    if (view->type->class == WHOLE)
        return "not floating point";
    return view->type->class == OTHER ? "an element type that is not read" : NULL;
}

static bool make_tensor(const struct torch_file *file, struct view *view, struct torch_made *made,
                        struct error *error)
{
    struct tensor *tensor = &made->tensor;
    const struct type *type = view->type;
    uint64_t elements, offset = 0, apart = 0;
    bool viewed = type->class != COMPLEX && view_applies(file->options, type->bytes);
    if (!shape_elements(view->shape, view->rank, type->bytes, &elements, error) ||
        !locate(file, view, elements, &offset, error))
        return false;
    const char *reason = reason_to_skip(view, viewed);
    bool overlap = elements && !count_apart(view, &apart);
    if (!reason && overlap)
        reason = "its elements overlap";
    if (reason)
        skip(made, type->dtype, reason);
    if (reason && (type->class != WHOLE || view->altered || overlap))
        return true;

    if (viewed) {
        tensor->dtype = *file->options->view;
    } else if (type->class == WHOLE) { /* to be copied */
        snprintf(tensor->dtype.name, sizeof tensor->dtype.name, "%s", type->dtype);
        tensor->dtype.bytes = (int)type->bytes;
    } else if (!dtype_find(type->dtype, strlen(type->dtype), &tensor->dtype, error)) {
        return false;
    }
    bool plain = elements == 0 || is_c_order(view);
    tensor->elements = apart;
    tensor->components = type->class == COMPLEX;
    if (tensor->components) {
        tensor->elements *= 2;
        split_components(view);
    }
    tensor->big_endian = file->big_endian && tensor->dtype.bytes > 1;
    tensor->offset = offset;
    tensor->rank = view->rank;
    tensor->shape = copy_numbers(view->shape, view->rank);
    tensor->strides = plain ? NULL : copy_numbers(view->strides, view->rank);
    return true;
}

bool torch_make(const struct torch_file *file, const struct torch_call *call,
                struct torch_made *made, struct error *error)
{
    struct view view;
    *made = (struct torch_made){0};
    if (call->what == TORCH_OTHER_TENSOR)
        return skip(made, call->function->dtype, call->function->reason);
    if (!read_view(&file->pickle, call, &view, error))
        return false;
    if (!view.type || !view.storage.element_bytes) {
        snprintf(made->dtype, sizeof made->dtype, "%.*s", (int)view.type_name.length,
                 view.type_name.bytes);
        made->reason = "an unknown element type";
        return true;
    }
    return make_tensor(file, &view, made, error);
}

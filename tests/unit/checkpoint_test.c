/* What a path stands for: files, indexes and folders; and files against their index. */
#include "places.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>

#include "input/checkpoint.h"
#include "input/weight_map.h"

#define INDEXES "tests/corpus/index/"

/* The paths of a checkpoint, with spaces between them. */
static void join_paths(const struct checkpoint *checkpoint, struct buffer *paths)
{
    buffer_puts(paths, "");
    for (size_t i = 0; i < checkpoint->count; i++)
        buffer_printf(paths, "%s%s", i ? " " : "", checkpoint->paths[i]);
}

static void check_opens(const char *path, const char *expected)
{
    struct checkpoint checkpoint;
    struct buffer paths = {0};
    struct error error = {""};
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s: %s", path, error.text);
    join_paths(&checkpoint, &paths);
    assert_string_equal(paths.data, expected);
    buffer_free(&paths);
    checkpoint_close(&checkpoint);
}

static void check_refused(const char *path, const char *message)
{
    struct checkpoint checkpoint;
    struct error error = {""};
    if (checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s opens", path);
    assert_string_equal(error.text, message);
    assert_null(checkpoint.paths);
    assert_null(checkpoint.index);
}

/* Opens every file, and matches it. */
static bool match_all(const char *path, struct buffer *tensors, struct error *error)
{
    struct checkpoint checkpoint;
    bool ok = checkpoint_open(path, &checkpoint, error);
    buffer_puts(tensors, "");
    for (size_t i = 0; ok && i < checkpoint.count; i++) {
        struct input input;
        assert_true(input_open(checkpoint.paths[i], &no_options, &input, error));
        ok = checkpoint_match(&checkpoint, i, &input, error);
        for (size_t k = 0; ok && k < input.tensor_count; k++)
            buffer_printf(tensors, "%s ", input.tensors[k].name);
        for (size_t k = 0; ok && k < input.skipped_count; k++)
            buffer_printf(tensors, "-%s:%s(%s) ", input.skipped[k].name, input.skipped[k].dtype,
                          input.skipped[k].reason);
        input_close(&input);
    }
    checkpoint_close(&checkpoint);
    return ok;
}

/* The corpus. */

#define TWO INDEXES "1.safetensors " INDEXES "2.safetensors"
#define INTEGER "-n:i64(not floating point) "
#define LACKING "has no tensor 'e', which the index has in this file"

static const struct good {
    const char *name;
    const char *paths;
    const char *tensors; /* NULL: a file lacks one */
} good[] = {
    {"plain", TWO, "a b " INTEGER "c "},
    {"order", TWO, "a b " INTEGER "c "},
    {"below", INDEXES "below/3.safetensors", "d "},
    {"keys", INDEXES "2.safetensors", "c "},
    {"space", INDEXES "2.safetensors", "c "},
    {"escapes", INDEXES "2.safetensors", "c "},
    {"elsewhere", INDEXES "1.safetensors",
     "b " INTEGER "-a:f32(the index has no such tensor in this file) "},
    {"lacking", INDEXES "2.safetensors", NULL},
    {"deep", INDEXES "2.safetensors", "c "},
};

#define OUTSIDE "' is no file below the folder of the index"

static const struct bad {
    const char *name;
    const char *message;
} bad[] = {
    {"no-map", "is JSON, but no index of a checkpoint (it has no weight_map)"},
    {"no-key", "is JSON, but no index of a checkpoint (it has no weight_map)"},
    {"empty", "index: the weight_map is empty"},
    {"array", "index, byte 14: the object of weight_map expected"},
    {"number", "index, byte 19: the name of a file expected"},
    {"null", "index, byte 14: the object of weight_map expected"},
    {"map-twice", "index, byte 36: two keys 'weight_map'"},
    {"name-twice", "index: two tensors 'c'"},
    {"name-nul", "index, byte 15: a NUL in a name"},
    {"file-nul", "index, byte 19: a NUL in a name"},
    {"missing", "index: '9.safetensors': No such file or directory"},
    {"absolute", "index: '/etc/passwd" OUTSIDE},
    {"file-empty", "index: '" OUTSIDE},
    {"parent", "index: '../npy/good-f4-le.npy" OUTSIDE},
    {"parent-within", "index: 'below/../1.safetensors" OUTSIDE},
    {"parent-last", "index: 'below/.." OUTSIDE},
    {"dot", "index: './1.safetensors" OUTSIDE},
    {"slashes", "index: 'below//3.safetensors" OUTSIDE},
    {"slash-last", "index: 'below/" OUTSIDE},
    {"dash", "index: '-" OUTSIDE},
    {"folder", "index: 'below' is no regular file"},
    {"through-file", "index: '1.safetensors/2': Not a directory"},
    {"too-deep", "index, byte 68: more than 64 levels"},
    {"behind", "index, byte 136: something behind the value"},
    {"cut", "index, byte 135: ',' or '}' expected, but the text ends"},
    {"comma", "index, byte 36: a key expected"},
    {"skipped-utf-8", "index, byte 6: a byte that is not UTF-8"},
    {"skipped-bracket", "index, byte 7: ',' or ']' expected"},
};

enum { GOOD_COUNT = sizeof good / sizeof *good, BAD_COUNT = sizeof bad / sizeof *bad };

static void test_good_indexes(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct buffer tensors = {0};
        struct error error = {""};
        snprintf(path, sizeof path, INDEXES "good-%s.json", good[i].name);
        check_opens(path, good[i].paths);
        bool ok = match_all(path, &tensors, &error);
        assert_int_equal(ok, good[i].tensors != NULL);
        if (ok)
            assert_string_equal(tensors.data, good[i].tensors);
        else
            assert_string_equal(error.text, LACKING);
        buffer_free(&tensors);
    }
}

static void test_bad_indexes(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        char path[128];
        snprintf(path, sizeof path, INDEXES "bad-%s.json", bad[i].name);
        check_refused(path, bad[i].message);
    }
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    DIR *folder = opendir(INDEXES);
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strstr(entry->d_name, ".json") != NULL;
    closedir(folder);
    assert_int_equal(count, GOOD_COUNT + BAD_COUNT);
}

/* Other paths. */

static void test_single_files(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "-",
        "",
        "tests/no such file",
        "/dev/null",
        "/proc/self/stat",
        "tests/corpus/npy/good-f4-le.npy",
        "tests/corpus/npy/good-f4-le.npy/",
        "tests/corpus/safetensors/good-f32.safetensors",
        "src/input/json.c",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check_opens(paths[i], paths[i]);
}

/* Data that begin with a brace by chance are no index. */
static void test_data_like_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"{", "{x", " \n{ 1", "[{}]", "", " ", "{\v\"", "\"{\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct place place = place_of(texts[i], strlen(texts[i]));
        check_opens(place.path, place.path);
        close(place.descriptor);
    }
    struct place place = place_of("{\"\0", 3);
    check_refused(place.path, "index, byte 2: a control character in a string");
    close(place.descriptor);
}

/* A file without an index has all its tensors. */
static void test_nothing_to_match(void **state)
{
    (void)state;
    struct buffer tensors = {0};
    struct error error = {""};
    assert_true(match_all(INDEXES "1.safetensors", &tensors, &error));
    assert_string_equal(tensors.data, "a b " INTEGER);
    buffer_free(&tensors);
}

/* Folders, made for the test and removed after it; tests work in them. */

static char *old_folder;
static char folder[] = "/tmp/precheck-test-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    old_folder = getcwd(NULL, 0);
    memset(strrchr(folder, '-') + 1, 'X', 6);
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static int leave_folder(void **state)
{
    (void)state;
    int trouble = chdir(old_folder) || nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(old_folder);
    return trouble;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0777), 0);
}

static void make_link(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

static void test_folder_of_files(void **state)
{
    (void)state;
    static const char *const files[] = {
        "b.npz",  "a.safetensors", "B.npy",       "c.pt",  "d.pth", "e.bin", "f.ckpt",
        "g.gguf", "config.json",   ".hidden.npy", "x.txt", "npy",   "y.NPY", "z.npy.part",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(files[i], "");
    make_folder("folder.npy");
    put("folder.npy/h.npy", "");
    make_link("a.safetensors", "i.npy");
    make_link("folder.npy", "j.npy");
    make_link("nothing", "k.npy");
    assert_int_equal(mkfifo("l.npy", 0666), 0);
    check_opens(".", "./B.npy ./a.safetensors ./b.npz ./c.pt ./d.pth ./e.bin ./f.ckpt ./g.gguf "
                     "./i.npy");
    check_opens("./", "./B.npy ./a.safetensors ./b.npz ./c.pt ./d.pth ./e.bin ./f.ckpt ./g.gguf "
                      "./i.npy");
    check_opens("folder.npy", "folder.npy/h.npy");
    check_opens("l.npy", "l.npy");
}

static void test_folder_of_nothing(void **state)
{
    (void)state;
    check_refused(".", "no tensor file in this directory");
    put("config.json", "{}");
    make_folder("deeper");
    put("deeper/a.npy", "");
    check_refused(".", "no tensor file in this directory");
}

#define INDEX "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}"

static void put_shards(void)
{
    put("1.safetensors", "");
    put("2.safetensors", "");
    put("optimizer.pt", "");
}

static void test_folder_with_an_index(void **state)
{
    (void)state;
    put_shards();
    put("any.index.json", INDEX);
    put("other.index.json", "{}");
    put(".hidden.index.json", INDEX);
    make_folder("folder.index.json");
    check_opens(".", "./1.safetensors ./2.safetensors");
    check_opens("any.index.json", "1.safetensors 2.safetensors");
    check_refused("other.index.json",
                  "is JSON, but no index of a checkpoint (it has no weight_map)");
}

static void test_folder_with_indexes(void **state)
{
    (void)state;
    put_shards();
    put("a.index.json", INDEX);
    put("pytorch_model.bin.index.json", INDEX);
    check_refused(".", "has two indexes, a.index.json and pytorch_model.bin.index.json: name one "
                       "of them");
    put("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"1.safetensors\"}}");
    check_opens(".", "./1.safetensors");
}

static void test_folder_with_a_bad_index(void **state)
{
    (void)state;
    put_shards();
    put("a.index.json", "version https://git-lfs.github.com/spec/v1\n");
    check_refused(".", "a.index.json: index, byte 0: a value expected");
    put("a.index.json", "{\"weight_map\":{\"a\":\"3.safetensors\"}}");
    check_refused(".", "a.index.json: index: '3.safetensors': No such file or directory");
    put("a.index.json", "{\"weight_map\":{}}");
    check_refused(".", "a.index.json: index: the weight_map is empty");
}

static void test_links(void **state)
{
    (void)state;
    make_folder("home");
    make_folder("home/below");
    make_folder("homework"); /* what only begins with the same letters is elsewhere */
    put("1.safetensors", "");
    put("homework/1.safetensors", "");
    put("home/2.safetensors", "");
    put("home/index.json", INDEX);

    make_link("2.safetensors", "home/1.safetensors");
    check_opens("home/index.json", "home/1.safetensors home/2.safetensors");

    static const char *const targets[] = {"../1.safetensors", "../homework/1.safetensors",
                                          "/etc/passwd", "/dev/null"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        remove("home/1.safetensors");
        make_link(targets[i], "home/1.safetensors");
        check_refused("home/index.json",
                      "index: '1.safetensors' is a link out of the folder of the index");
    }
    remove("home/1.safetensors");
    make_link("nothing", "home/1.safetensors");
    check_refused("home/index.json", "index: '1.safetensors': No such file or directory");
    remove("home/1.safetensors");
    make_link("1.safetensors", "home/1.safetensors");
    check_refused("home/index.json", "index: '1.safetensors': Too many levels of symbolic links");

    /* A folder that leads away is no better. */
    make_link("../homework", "home/away");
    put("home/index.json", "{\"weight_map\":{\"a\":\"away/1.safetensors\"}}");
    check_refused("home/index.json",
                  "index: 'away/1.safetensors' is a link out of the folder of the index");
}

/* As the cache of Hugging Face has it: names in one folder are links to contents in another. */
static void test_links_of_a_cache(void **state)
{
    (void)state;
    make_folder("blobs");
    make_folder("snapshot");
    put("blobs/0123", INDEX);
    put("blobs/4567", "");
    put("blobs/89ab", "");
    make_link("../blobs/0123", "snapshot/model.safetensors.index.json");
    make_link("../blobs/4567", "snapshot/1.safetensors");
    make_link("../blobs/89ab", "snapshot/2.safetensors");
    check_opens("snapshot", "snapshot/1.safetensors snapshot/2.safetensors");
    make_link("snapshot", "link");
    check_opens("link", "link/1.safetensors link/2.safetensors");

    put("elsewhere", "");
    remove("snapshot/2.safetensors");
    make_link("../elsewhere", "snapshot/2.safetensors");
    check_refused("snapshot", "model.safetensors.index.json: index: '2.safetensors' is a link out "
                              "of the folder of the index");
}

/* Many weights in many files, in no order. */
static void test_large_index(void **state)
{
    (void)state;
    enum { WEIGHTS = 20000, FILES = 50 };
    FILE *file = tmpfile();
    struct weight_map map = {0};
    struct error error = {""};
    assert_non_null(file);
    for (unsigned i = 0; i < WEIGHTS; i++) {
        unsigned weight = i * 7919 % WEIGHTS;
        fprintf(file, "%s\"w%u\":\"f%02u\"", i ? "," : "{\"weight_map\":{", weight, weight % FILES);
    }
    fputs("}}", file);
    long length = ftell(file);
    rewind(file);
    if (!weight_map_read(file, (uint64_t)length, &map, &error))
        fail_msg("%s", error.text);
    assert_true(map.present);
    assert_int_equal(map.count, WEIGHTS);
    assert_int_equal(map.file_count, FILES);
    for (unsigned i = 0; i < WEIGHTS; i++) {
        char name[16], where[16];
        snprintf(name, sizeof name, "w%u", i);
        snprintf(where, sizeof where, "f%02u", i % FILES);
        assert_string_equal(weight_map_file(&map, i % FILES), where);
        size_t found = weight_map_find(&map, i % FILES, name);
        assert_in_range(found, map.first[i % FILES], map.first[i % FILES + 1] - 1);
        assert_string_equal(map.names.data + map.weights[found].name, name);
        assert_int_equal(weight_map_find(&map, (i + 1) % FILES, name), WEIGHTS);
    }
    weight_map_free(&map);
    fclose(file);
}

static void test_shrunk_index(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    struct weight_map map = {0};
    struct error error = {""};
    assert_non_null(file);
    fputs("{}", file);
    rewind(file);
    assert_false(weight_map_read(file, 3, &map, &error));
    assert_string_equal(error.text, "the file shrank while it was being read");
    weight_map_free(&map);
    fclose(file);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_indexes),
        cmocka_unit_test(test_bad_indexes),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_single_files),
        cmocka_unit_test(test_data_like_json),
        cmocka_unit_test(test_nothing_to_match),
        IN_FOLDER(test_folder_of_files),
        IN_FOLDER(test_folder_of_nothing),
        IN_FOLDER(test_folder_with_an_index),
        IN_FOLDER(test_folder_with_indexes),
        IN_FOLDER(test_folder_with_a_bad_index),
        IN_FOLDER(test_links),
        IN_FOLDER(test_links_of_a_cache),
        cmocka_unit_test(test_large_index),
        cmocka_unit_test(test_shrunk_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

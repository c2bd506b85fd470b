/* Makes chosen file operations of a process fail, or connections break: loaded in front of the C
 * library.
 *
 * FAULTS_ROOT names the folder whose files are meant, FAULTS_CONTROL the file of the block below,
 * which `control.py` writes and reads. Connections are those over TCP: to PostgreSQL and to an
 * object store. No header of the C library is needed to build it.
 */

typedef unsigned long size_t;
typedef long ssize_t;
typedef long off_t;
struct iovec { void *base; size_t length; };

enum { WRITE = 1, SYNC = 2, NAME = 4, READ = 8, NET = 16 };
enum { AF_INET = 2, AF_INET6 = 10, SHUT_RDWR = 2 };
enum { O_ACCMODE = 3, O_CREAT = 0100, O_RDWR = 2, AT_FDCWD = -100 };
enum { PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1 };

/* The layout is control.py's `_BLOCK`. */
struct block {
    int process; /* whose calls are meant; 0: nobody's, -1: all of those that see this block */
    int classes;
    int error;   /* 0: do the first half of a write, and say so */
    int onwards; /* not only the n-th call, but all from there on */
    long at;     /* counted from 1 */
    long seen;
    long fired;
    char call[16];
    char path[256];
};

extern void *dlsym(void *, const char *);
extern char *getenv(const char *);
extern int getpid(void);
extern ssize_t readlink(const char *, char *, size_t);
extern void *mmap(void *, size_t, int, int, int, off_t);
extern int *__errno_location(void);
extern int snprintf(char *, size_t, const char *, ...);
extern char *getcwd(char *, size_t);
extern int getsockname(int, void *, unsigned *);
extern int shutdown(int, int);

static struct block *control;
static const char *root;
static size_t root_length;

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym((void *)-1, #name)

static int below(const char *path)
{
    size_t at = 0;
    while (at < root_length && path[at] == root[at]) at++;
    return at == root_length && (path[at] == '/' || path[at] == 0);
}

__attribute__((constructor)) static void begin(void)
{
    int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym((void *)-1, "open");
    int (*real_close)(int) = (int (*)(int))dlsym((void *)-1, "close");
    const char *path = getenv("FAULTS_CONTROL");
    root = getenv("FAULTS_ROOT");
    if (!path || !root) return;
    while (root[root_length]) root_length++;
    int handle = real_open(path, O_RDWR);
    if (handle < 0) return;
    void *found = mmap(0, sizeof(struct block), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    real_close(handle);
    if (found != (void *)-1) control = found;
}

static int meant(int class)
{
    if (!control || !control->process || !(control->classes & class)) return 0;
    return control->process == -1 || control->process == getpid();
}

/* 0: let it pass; 1: fail it, errno is set; 2: make it short. */
static int counted(const char *call, const char *path)
{
    long number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (number < control->at || (number > control->at && !control->onwards)) return 0;
    if (!__atomic_fetch_add(&control->fired, 1, __ATOMIC_SEQ_CST)) {
        snprintf(control->call, sizeof control->call, "%s", call);
        snprintf(control->path, sizeof control->path, "%s", path);
    }
    if (!control->error) return 2;
    *__errno_location() = control->error;
    return 1;
}

static int judged(int class, const char *call, const char *path)
{
    return meant(class) && below(path) ? counted(call, path) : 0;
}

/* A connection that breaks does so at both ends. */
static int broken(const char *call, int handle)
{
    unsigned short address[64];
    unsigned length = sizeof address;
    if (!meant(NET) || getsockname(handle, address, &length)) return 0;
    if (address[0] != AF_INET && address[0] != AF_INET6) return 0;
    if (counted(call, "a connection") != 1) return 0;
    int error = *__errno_location();
    shutdown(handle, SHUT_RDWR);
    *__errno_location() = error;
    return 1;
}

static int judged_handle(int class, const char *call, int handle)
{
    char link[32], path[4096];
    if (!control || !control->process) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 1) return 0;
    path[length] = 0;
    return judged(class, call, path);
}

static int judged_write(const char *call, int handle, size_t count)
{
    /* One octet cannot be written in part. */
    if (control && !control->error && count < 2) return 0;
    return judged_handle(WRITE, call, handle);
}

static int judged_name(int class, const char *call, int folder, const char *name)
{
    char link[32], path[4096];
    if (!control || !control->process || !name) return 0;
    if (name[0] == '/') return judged(class, call, name);
    ssize_t length;
    if (folder == AT_FDCWD) {
        if (!getcwd(path, sizeof path)) return 0;
        for (length = 0; path[length]; length++) {}
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        length = readlink(link, path, sizeof path - 1);
        if (length < 1) return 0;
    }
    snprintf(path + length, sizeof path - length, "/%s", name);
    return judged(class, call, path);
}

/* Opening to read alone is no change; all else can fail for want of room or of a sound disk. */
static int class_of(int flags)
{
    return flags & (O_ACCMODE | O_CREAT) ? NAME : READ;
}

#define OPEN(name) \
    int name(const char *path, int flags, unsigned mode) \
    { \
        NEXT(name); \
        if (judged_name(class_of(flags), #name, AT_FDCWD, path) == 1) return -1; \
        return next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, unsigned mode) \
    { \
        NEXT(name); \
        if (judged_name(class_of(flags), #name, folder, path) == 1) return -1; \
        return next(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int handle, const void *octets, size_t count)
{
    NEXT(write);
    int found = judged_write("write", handle, count);
    if (found == 1) return -1;
    return next(handle, octets, found ? count / 2 : count);
}

#define PWRITE(name) \
    ssize_t name(int handle, const void *octets, size_t count, off_t at) \
    { \
        NEXT(name); \
        int found = judged_write(#name, handle, count); \
        if (found == 1) return -1; \
        return next(handle, octets, found ? count / 2 : count, at); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t writev(int handle, const struct iovec *parts, int count)
{
    NEXT(writev);
    if (broken("writev", handle)) return -1;
    int found = judged_write("writev", handle, parts[0].length);
    if (found == 1) return -1;
    return found ? write(handle, parts[0].base, parts[0].length / 2) : next(handle, parts, count);
}

#define SENDFILE(name) \
    ssize_t name(int to, int from, off_t *at, size_t count) \
    { \
        NEXT(name); \
        int found = judged_write(#name, to, count); \
        if (found == 1) return -1; \
        return next(to, from, at, found ? count / 2 : count); \
    }
SENDFILE(sendfile)
SENDFILE(sendfile64)

#define HANDLE(class, name, ...) \
    { \
        NEXT(name); \
        return judged_handle(class, #name, handle) == 1 ? -1 : next(__VA_ARGS__); \
    }
ssize_t read(int handle, void *octets, size_t count) HANDLE(READ, read, handle, octets, count)
ssize_t pread(int handle, void *octets, size_t count, off_t at)
    HANDLE(READ, pread, handle, octets, count, at)
ssize_t pread64(int handle, void *octets, size_t count, off_t at)
    HANDLE(READ, pread64, handle, octets, count, at)
int fsync(int handle) HANDLE(SYNC, fsync, handle)
int fdatasync(int handle) HANDLE(SYNC, fdatasync, handle)
int ftruncate(int handle, off_t length) HANDLE(NAME, ftruncate, handle, length)
int ftruncate64(int handle, off_t length) HANDLE(NAME, ftruncate64, handle, length)

#define NAMED(name, folder, path, ...) \
    { \
        NEXT(name); \
        return judged_name(NAME, #name, folder, path) == 1 ? -1 : next(__VA_ARGS__); \
    }
int rename(const char *old, const char *new) NAMED(rename, AT_FDCWD, old, old, new)
int renameat(int from, const char *old, int to, const char *new)
    NAMED(renameat, from, old, from, old, to, new)
int unlink(const char *path) NAMED(unlink, AT_FDCWD, path, path)
int unlinkat(int folder, const char *path, int flags) NAMED(unlinkat, folder, path, folder, path, flags)
int rmdir(const char *path) NAMED(rmdir, AT_FDCWD, path, path)
int mkdir(const char *path, unsigned mode) NAMED(mkdir, AT_FDCWD, path, path, mode)
int mkdirat(int folder, const char *path, unsigned mode) NAMED(mkdirat, folder, path, folder, path, mode)
int chmod(const char *path, unsigned mode) NAMED(chmod, AT_FDCWD, path, path, mode)
int link(const char *old, const char *new) NAMED(link, AT_FDCWD, old, old, new)

#define CONNECTION(name, ...) \
    { \
        NEXT(name); \
        return broken(#name, handle) ? -1 : next(__VA_ARGS__); \
    }
ssize_t send(int handle, const void *octets, size_t count, int flags)
    CONNECTION(send, handle, octets, count, flags)
ssize_t recv(int handle, void *octets, size_t count, int flags)
    CONNECTION(recv, handle, octets, count, flags)
int connect(int handle, const void *to, unsigned length) CONNECTION(connect, handle, to, length)

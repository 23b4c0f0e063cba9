#include "lines.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "state.h"

namespace floors {
namespace {

constexpr std::size_t kKeyBytes = 64;

// SipHash-1-3 (Aumasson and Bernstein, 2012), as hash tables use it whose keys strangers choose.
class Sip {
 public:
  std::uint64_t hash(const char* key, std::size_t length) {
    std::size_t i = 0;
    for (; i + 8 <= length; i += 8) absorb(word_at(key + i, 8));
    absorb(word_at(key + i, length - i) | static_cast<std::uint64_t>(length) << 56);
    c_ ^= 0xff;
    for (int last = 0; last < 3; last++) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  static std::uint64_t word_at(const char* bytes, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    return word;
  }
  static std::uint64_t turned(std::uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
  void absorb(std::uint64_t word) {
    d_ ^= word;
    round();
    a_ ^= word;
  }
  void round() {
    a_ += b_, b_ = turned(b_, 13) ^ a_, a_ = turned(a_, 32);
    c_ += d_, d_ = turned(d_, 16) ^ c_;
    a_ += d_, d_ = turned(d_, 21) ^ a_;
    c_ += b_, b_ = turned(b_, 17) ^ c_, c_ = turned(c_, 32);
  }

  // Its constants, with 0 for a key: which key it is makes no difference to the time.
  std::uint64_t a_ = 0x736f6d6570736575, b_ = 0x646f72616e646f6d, c_ = 0x6c7967656e657261, d_ = 0x7465646279746573;
};

}  // namespace

std::unique_ptr<Lines> Lines::make(const std::string& path, std::uint32_t count) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(sizeof(Line)) * count) == 0) {
    memory = mmap(nullptr, sizeof(Line) * count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (memory == MAP_FAILED) return nullptr;
  return std::unique_ptr<Lines>(new Lines(static_cast<Line*>(memory), count));
}

Lines::~Lines() { munmap(lines_, sizeof(Line) * count_); }

// Read and written, but by no locked instruction: that belongs to what the bucket does with the line.
void Lines::touch(const char* key, std::size_t length) {
  const auto spread = static_cast<unsigned __int128>(Sip().hash(key, length)) * count_;
  std::atomic<std::uint64_t>& word = lines_[static_cast<std::uint64_t>(spread >> 64)].word;
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// makeLines(path, count): zeroed.
napi_value make_lines(napi_env env, napi_callback_info info) {
  napi_value value[2];
  State* state = arguments(env, info, value);
  std::string path;
  std::uint32_t count;
  if (!to_string(env, value[0], &path) || napi_get_value_uint32(env, value[1], &count) != napi_ok || count == 0) {
    return fail(env, "makeLines needs a path and a count");
  }
  state->lines = Lines::make(path, count);
  return state->lines ? nullptr : fail_errno(env, path);
}

// touchLine(key): a string of Latin-1.
napi_value touch_line(napi_env env, napi_callback_info info) {
  napi_value value[1];
  State* state = arguments(env, info, value);
  if (!state->lines) return fail(env, "makeLines first");
  char key[kKeyBytes];
  std::size_t length;
  if (napi_get_value_string_latin1(env, value[0], key, sizeof key, &length) != napi_ok) return fail(env, "touchLine needs a string");
  state->lines->touch(key, length);
  return nullptr;
}

}  // namespace floors

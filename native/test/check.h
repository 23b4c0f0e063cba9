// A test harness in one page: named cases, checks that print what they saw, and the closing line `N passed, N failed`.
#pragma once

#include <cstdio>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace forelock::test {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::vector<std::pair<std::string, std::function<void()>>>& cases() {
  static std::vector<std::pair<std::string, std::function<void()>>> all;
  return all;
}

struct Case {
  Case(const char* name, std::function<void()> body) { cases().emplace_back(name, std::move(body)); }
};

template <typename A, typename B>
void equal(const A& got, const B& want, const char* what, const char* file, int line) {
  if (got == want) return;
  std::ostringstream text;
  text << file << ":" << line << ": " << what << ": got " << got << ", want " << want;
  throw Failure(text.str());
}

inline int run(const char* only = nullptr) {
  int passed = 0;
  int failed = 0;
  for (const auto& [name, body] : cases()) {
    if (only != nullptr && name.find(only) == std::string::npos) continue;
    try {
      body();
      passed++;
    } catch (const std::exception& error) {
      failed++;
      std::printf("FAIL %s\n  %s\n", name.c_str(), error.what());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace forelock::test

#define TEST_JOIN2(a, b) a##b
#define TEST_JOIN(a, b) TEST_JOIN2(a, b)
#define TEST_CASE(name)                                                                          \
  static void TEST_JOIN(case_, __LINE__)();                                                      \
  static const forelock::test::Case TEST_JOIN(reg_, __LINE__)(name, TEST_JOIN(case_, __LINE__)); \
  static void TEST_JOIN(case_, __LINE__)()
#define CHECK(condition)                                                                                                       \
  do {                                                                                                                         \
    if (!(condition)) throw forelock::test::Failure(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #condition); \
  } while (false)
#define CHECK_EQUAL(got, want) forelock::test::equal((got), (want), #got, __FILE__, __LINE__)
#define TEST_MAIN() \
  int main(int argc, char** argv) { return forelock::test::run(argc > 1 ? argv[1] : nullptr); }

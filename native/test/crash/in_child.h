// Checks in processes of their own, so that a crash or an endless loop in one of them is one failure.
#pragma once

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

namespace forelock::test {

// True when `body` returns normally in a child, within so many seconds; else it has said why not, with what is in the scene.
template <typename Scene>
bool in_child(const std::string& where, unsigned seconds, Scene& scene, const std::function<void()>& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    alarm(seconds);
    try {
      body();
    } catch (const std::exception& error) {
      std::printf("FAIL %s: %s\n%s", where.c_str(), error.what(), scene.dump().c_str());
      std::fflush(stdout);
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::printf("FAIL %s: the survivor was ended by signal %d\n", where.c_str(), WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Starts the program again with all symbols resolved: those resolved on first use would be stepped through again and again.
inline void resolve_symbols_first(char** argv) {
  if (getenv("LD_BIND_NOW") != nullptr) return;
  setenv("LD_BIND_NOW", "1", 1);
  execv("/proc/self/exe", argv);
}

}  // namespace forelock::test

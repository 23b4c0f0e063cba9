// Runs a piece of work in a child process, one machine instruction at a time.
#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>

namespace forelock::test {

class Stepper {
 public:
  // `work` is what is stepped; `after` runs at full speed once the child is let go, and its result is the exit status.
  Stepper(const std::function<void()>& work, const std::function<int()>& after) : child_(fork()) {
    if (child_ < 0) throw std::runtime_error("fork");
    if (child_ == 0) {
      signal(kEnd, SIG_IGN);  // a tracer is told of it all the same; without one it means nothing
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      work();
      raise(kEnd);
      _exit(after());
    }
    wait_for_stop();
    if (over_) throw std::runtime_error("the stepped process did not start");
    ptrace(PTRACE_SETOPTIONS, child_, nullptr, PTRACE_O_EXITKILL);
    pending_ = 0;
  }
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;
  ~Stepper() {
    if (gone_) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  // One instruction; false when the work is over, or the child died of it (gone() tells).
  bool step() {
    if (over_ || ptrace(PTRACE_SINGLESTEP, child_, nullptr, pending_) != 0) return false;
    wait_for_stop();
    if (over_) return false;
    instructions_++;
    return true;
  }
  std::uint64_t instructions() const { return instructions_; }

#if defined(__x86_64__)
  // The address of the next one.
  std::uintptr_t instruction() const {
    return static_cast<std::uintptr_t>(ptrace(PTRACE_PEEKUSER, child_, offsetof(user, regs.rip), nullptr));
  }
  // At full speed until that is the next one for so many times; false when it never was, or there are no breakpoints.
  bool run_to(std::uintptr_t instruction, std::uint64_t times) {
    if (over_ || !set_debug_register(0, instruction) || !set_debug_register(7, kStopAtFirst)) return false;
    for (std::uint64_t time = 0; time < times; time++) {
      if (ptrace(PTRACE_CONT, child_, nullptr, pending_) != 0) return false;
      wait_for_stop();
      if (over_ || this->instruction() != instruction) return false;
    }
    return set_debug_register(7, 0);
  }
#else
  std::uintptr_t instruction() const { return 0; }
  bool run_to(std::uintptr_t, std::uint64_t) { return false; }
#endif

  // The child goes on at full speed, from wherever it is.
  void let_go() { ptrace(PTRACE_DETACH, child_, nullptr, 0); }
  bool gone() {
    int status = 0;
    if (!gone_ && waitpid(child_, &status, WNOHANG) == child_) leave(status);
    return gone_;
  }
  int exit_status() {
    int status = 0;
    if (!gone_ && waitpid(child_, &status, 0) == child_) leave(status);
    return exit_status_;
  }

 private:
  static constexpr int kEnd = SIGUSR1;
#if defined(__x86_64__)
  static constexpr unsigned long kStopAtFirst = 1;  // of DR7: before the instruction that DR0 has the address of

  bool set_debug_register(std::size_t which, unsigned long value) const {
    return ptrace(PTRACE_POKEUSER, child_, offsetof(user, u_debugreg) + which * sizeof(unsigned long), value) == 0;
  }
#endif

  void wait_for_stop() {
    int status = 0;
    if (waitpid(child_, &status, 0) != child_ || !WIFSTOPPED(status)) {
      over_ = true;
      leave(status);
      return;
    }
    const int signal = WSTOPSIG(status);
    if (signal == kEnd) over_ = true;
    pending_ = signal == SIGTRAP || signal == SIGSTOP || signal == kEnd ? 0 : signal;  // a fault of its own it gets
  }
  void leave(int status) {
    gone_ = true;
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  pid_t child_;
  std::uint64_t instructions_ = 0;
  long pending_ = 0;
  int exit_status_ = -1;
  bool over_ = false;
  bool gone_ = false;
};

}  // namespace forelock::test

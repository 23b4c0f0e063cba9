// A model thread: code on a stack of its own that runs until it pauses. The stack can be saved and put back at the same
// place, so the explorer goes back to an earlier state by copying a kilobyte or two instead of running everything
// again. What lives on the stack must therefore own nothing elsewhere (no heap, no exception in flight across a pause).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#error "build native/test/schedule without ASan and TSan: stacks are copied behind their back"
#endif

#if !defined(__x86_64__) && !defined(FORELOCK_SCHEDULE_UCONTEXT)
#define FORELOCK_SCHEDULE_UCONTEXT
#endif
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
#include <ucontext.h>
#endif

namespace scheduled {

#if !defined(FORELOCK_SCHEDULE_UCONTEXT)
// Saves the callee-saved registers on this stack and goes on on the other one.
extern "C" void forelock_switch_stack(void** save, void* load);
asm(R"(
.text
.type forelock_switch_stack, @function
forelock_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size forelock_switch_stack, .-forelock_switch_stack
)");
#endif

// Of whole words.
inline std::uint64_t hash_bytes(const void* from, std::size_t bytes) {
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  const auto* at = static_cast<const unsigned char*>(from);
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    std::uint64_t word[4];
    std::memcpy(word, at + i, 32);
    for (int l = 0; l < 4; l++) {
      lanes[l] = (lanes[l] ^ word[l]) * 0x9e3779b97f4a7c15ull;
      lanes[l] ^= lanes[l] >> 29;
    }
  }
  for (; i + 8 <= bytes; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, at + i, 8);
    lanes[0] = (lanes[0] ^ word) * 0x9e3779b97f4a7c15ull;
    lanes[0] ^= lanes[0] >> 29;
  }
  std::uint64_t h = bytes;
  for (const std::uint64_t lane : lanes) {
    h = (h ^ lane) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  }
  return h;
}

class Fiber {
 public:
  using Entry = void (*)(void*);
  static constexpr std::size_t kStackBytes = 128 * 1024;
  static constexpr std::size_t kCleared = 2048;

  Fiber() : stack_(static_cast<unsigned char*>(std::aligned_alloc(4096, kStackBytes))) {
    if (stack_ == nullptr) throw std::bad_alloc();
  }
  ~Fiber() { std::free(stack_); }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The entry never returns: it pauses for good.
  void start(Entry entry, void* argument) {
    entry_ = entry;
    argument_ = argument;
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_;
    own_.uc_stack.ss_size = kStackBytes;
    own_.uc_link = nullptr;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter_halves), 2, static_cast<unsigned>(self),
                static_cast<unsigned>(static_cast<std::uint64_t>(self) >> 32));
    low_ = stack_ + kStackBytes - kMargin;  // what makecontext wrote
#else
    auto* top = reinterpret_cast<void**>(stack_ + kStackBytes) - 2;
    *--top = nullptr;  // where the entry would return to; it also aligns the stack as a call does
    *--top = reinterpret_cast<void*>(&Fiber::enter);
    for (int i = 0; i < 6; i++) *--top = nullptr;  // the registers that forelock_switch_stack pops
    low_ = reinterpret_cast<unsigned char*>(top);
#endif
  }

  void resume() {
    current_ = this;
    // What earlier calls left below is no part of the state: let it not become one as an unwritten part of a frame.
    std::memset(low_ - kCleared, 0, kCleared);
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    swapcontext(&caller_, &own_);
#else
    forelock_switch_stack(&caller_, low_);
#endif
  }
  void pause() {
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    low_ = reinterpret_cast<unsigned char*>(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) / 16 * 16) - kMargin;
    swapcontext(&own_, &caller_);
#else
    forelock_switch_stack(reinterpret_cast<void**>(&low_), caller_);
#endif
  }

  // Of everything that decides how the paused fiber goes on.
  std::uint64_t hash() const {
    const std::uint64_t stack = hash_bytes(low_, static_cast<std::size_t>(stack_ + kStackBytes - low_) / 8 * 8);
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    return stack ^ hash_bytes(&own_.uc_mcontext, sizeof own_.uc_mcontext / 8 * 8);
#else
    return stack;
#endif
  }

  // The part of the stack that is in use while the fiber is paused.
  std::size_t used() const { return static_cast<std::size_t>(stack_ + kStackBytes - low_) + kExtra; }
  void save(unsigned char* to) const {
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    std::memcpy(to, &own_, kExtra);
#endif
    std::memcpy(to + kExtra, low_, used() - kExtra);
  }
  void load(const unsigned char* from, std::size_t bytes) {
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
    std::memcpy(&own_, from, kExtra);
#endif
    low_ = stack_ + kStackBytes - (bytes - kExtra);
    std::memcpy(low_, from + kExtra, bytes - kExtra);
  }

 private:
#if defined(FORELOCK_SCHEDULE_UCONTEXT)
  static void enter_halves(unsigned low, unsigned high) {
    auto* self = reinterpret_cast<Fiber*>((static_cast<std::uint64_t>(high) << 32) | low);
    self->entry_(self->argument_);
    std::abort();
  }
  static constexpr std::size_t kExtra = sizeof(ucontext_t);
  static constexpr std::size_t kMargin = 1024;  // the frame of swapcontext itself
  ucontext_t own_, caller_;
#else
  static void enter() {
    Fiber* self = current_;
    self->entry_(self->argument_);
    std::abort();
  }
  static constexpr std::size_t kExtra = 0;
  void* caller_ = nullptr;
#endif

  inline static Fiber* current_ = nullptr;  // the one resumed last
  unsigned char* stack_;
  unsigned char* low_ = nullptr;  // lowest byte in use
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace scheduled

// A small arena between two pages that may not be touched: a read or write beyond its end is a crash, not luck.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

#include "world.h"

namespace forelock::test {

class GuardedArena {
 public:
  explicit GuardedArena(const core::Capacity& capacity) : size_(core::Layout::of(capacity).size) {
    void* whole = mmap(nullptr, size_ + 2 * core::kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (whole == MAP_FAILED) throw std::bad_alloc();
    whole_ = static_cast<unsigned char*>(whole);
    base_ = whole_ + core::kPage;
    if (mprotect(base_, size_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    core::Origin origin{};
    origin.capacity = capacity;
    origin.seed[0] = 1;
    origin.seed[1] = 2;
    origin.now = host.time;
    origin.wall_ms = 1'000;
    origin.ageing = 30'000 * core::kNanosPerMilli;
    core::initialise(base_, origin);
    arena = std::make_unique<core::Arena>(base_, host);
  }
  GuardedArena(const GuardedArena&) = delete;
  GuardedArena& operator=(const GuardedArena&) = delete;
  ~GuardedArena() { munmap(whole_, size_ + 2 * core::kPage); }

  unsigned char* base() const { return base_; }
  std::size_t size() const { return size_; }

  FakeHost host;
  std::unique_ptr<core::Arena> arena;

 private:
  std::size_t size_;
  unsigned char* whole_;
  unsigned char* base_;
};

}  // namespace forelock::test

// What model code allocates lies in regions that are saved and put back with each state: one for each owner (a thread,
// or what a thread uses), so that what belongs to a thread that has ended no longer counts as a difference between
// states. Freed blocks are cleared and used again for the same size, so that a heap says as little as possible of its
// past.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "fiber.h"
#include "memory.h"

namespace scheduled {

class Heap {
 public:
  static constexpr int kRegions = 8;
  static constexpr std::size_t kRegionBytes = 64 * 1024;

  static Heap& instance() {
    static Heap heap;
    return heap;
  }

  // Active while model code runs; what it allocates goes into the region in use.
  bool active() const { return active_; }
  void activate(bool yes) { active_ = yes; }
  void use(int region) { region_ = region; }
  int region() const { return region_; }

  void clear() {
    for (int r = 0; r < kRegions; r++) head(r) = {sizeof(Head), 0};
  }
  bool contains(const void* p) const { return p >= bytes_ && p < bytes_ + kRegions * kRegionBytes; }

  void* allocate(std::size_t size) {
    size = round_up(size);
    std::uint32_t* link = &head(region_).free;
    while (*link != 0) {
      Free& block = at<Free>(region_, *link);
      if (block.size == size) {
        unsigned char* found = base(region_) + *link;
        *link = block.next;
        std::memset(found, 0, sizeof(Free));
        return found;
      }
      link = &block.next;
    }
    std::uint32_t& used = head(region_).used;
    if (used + size > kRegionBytes) give_up("model code allocates too much: raise Heap::kRegionBytes");
    unsigned char* fresh = base(region_) + used;
    used += static_cast<std::uint32_t>(size);
    std::memset(fresh, 0, size);
    return fresh;
  }
  void release(void* p, std::size_t size) {
    const auto offset = static_cast<std::size_t>(static_cast<unsigned char*>(p) - bytes_);
    const int r = static_cast<int>(offset / kRegionBytes);
    size = round_up(size);
    std::memset(p, 0, size);
    at<Free>(r, offset % kRegionBytes) = {static_cast<std::uint32_t>(size), head(r).free};
    head(r).free = static_cast<std::uint32_t>(offset % kRegionBytes);
  }

  std::uint64_t hash(int r) const { return hash_bytes(base(r), head(r).used); }

  std::size_t size() const {
    std::size_t bytes = 0;
    for (int r = 0; r < kRegions; r++) bytes += head(r).used;
    return bytes;
  }
  void save(unsigned char* to) const {
    for (int r = 0; r < kRegions; r++) {
      std::memcpy(to, base(r), head(r).used);
      to += head(r).used;
    }
  }
  const unsigned char* load(const unsigned char* from) {
    for (int r = 0; r < kRegions; r++) {
      Head saved;
      std::memcpy(&saved, from, sizeof saved);
      std::memcpy(base(r), from, saved.used);
      from += saved.used;
    }
    return from;
  }

 private:
  struct alignas(16) Head {
    std::uint32_t used;
    std::uint32_t free;  // offset of the block freed last, 0 none
  };
  struct Free {
    std::uint32_t size;
    std::uint32_t next;
  };
  static constexpr std::size_t round_up(std::size_t size) { return (size + 15) & ~std::size_t{15}; }

  Heap() : bytes_(static_cast<unsigned char*>(std::aligned_alloc(4096, kRegions * kRegionBytes))) {
    if (bytes_ == nullptr) give_up("out of memory");
    clear();
  }
  unsigned char* base(int r) const { return bytes_ + static_cast<std::size_t>(r) * kRegionBytes; }
  template <typename T>
  T& at(int r, std::size_t offset) const {
    return *reinterpret_cast<T*>(base(r) + offset);
  }
  Head& head(int r) const { return at<Head>(r, 0); }

  unsigned char* bytes_;
  int region_ = 0;
  bool active_ = false;
};

// The scheduler's own memory, while it is called by model code.
class OffModelHeap {
 public:
  OffModelHeap() : was_(Heap::instance().active()) { Heap::instance().activate(false); }
  ~OffModelHeap() { Heap::instance().activate(was_); }
  OffModelHeap(const OffModelHeap&) = delete;
  OffModelHeap& operator=(const OffModelHeap&) = delete;

 private:
  const bool was_;
};

}  // namespace scheduled

// This file is part of exactly one translation unit of an executable (scheduler.h), so it may define these.
void* operator new(std::size_t size) {
  if (scheduled::Heap::instance().active()) return scheduled::Heap::instance().allocate(size);
  void* p = std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void operator delete(void* p) noexcept {
  if (!scheduled::Heap::instance().contains(p)) std::free(p);
}
void operator delete(void* p, std::size_t size) noexcept {
  if (scheduled::Heap::instance().contains(p)) {
    scheduled::Heap::instance().release(p, size);
  } else {
    std::free(p);
  }
}

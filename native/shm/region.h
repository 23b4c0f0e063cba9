// The memory of an arena: a file in /dev/shm for a named one, a sealed memfd for a private one, mapped into this process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/init.h"

namespace forelock::shm {

// What the opener asks for; what it leaves out is the default for whoever makes the arena and no demand on an existing one.
struct Wanted {
  std::optional<std::uint32_t> elements, slots, participants, texts, heap, telemetry;
  std::optional<std::uint64_t> ageing_ms;
  std::optional<std::uint32_t> claim_within_ms;
  std::optional<double> max_reserve;              // 0 to 1
  std::optional<std::vector<std::string>> tiers;  // lowest first
  std::optional<bool> is_virtual;
  bool update = false;
};

// What Header::retired says; 0: nothing.
inline constexpr std::uint32_t kUnlinked = 1;  // its name is gone, or is going
inline constexpr std::uint32_t kDamaged = 2;   // a participant met what no version of forelock writes: nobody may go on

class Region {
 public:
  // All throw OpenError.
  static std::unique_ptr<Region> open_named(const std::string& dir, const std::string& name, const Wanted& wanted);
  static std::unique_ptr<Region> make_private(const Wanted& wanted);
  // Another open file description and mapping of the same memory, so that its byte lock is its own.
  std::unique_ptr<Region> reopen() const;
  // For a look from outside: no file is made.
  static std::unique_ptr<Region> open_existing(const std::string& dir, const std::string& name);
  // False: there was none. Refuses while participants live, unless forced.
  static bool unlink(const std::string& dir, const std::string& name, bool force);

  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  void* base() const { return base_; }
  std::size_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  core::Header& header() const { return *static_cast<core::Header*>(base_); }
  // Backs these bytes with memory; false with errno when there is none.
  bool back(std::size_t offset, std::size_t bytes) const;
  // True when the file has no name any more.
  bool is_unlinked() const;
  // Demands that what is stored is what is wanted, or with `update` stores it. Throws OpenError with both values.
  void reconcile(const Wanted& wanted) const;

 private:
  Region(int descriptor, void* base, std::size_t size) : descriptor_(descriptor), base_(base), size_(size) {}
  static std::unique_ptr<Region> map(int descriptor, std::size_t size);

  int descriptor_;
  void* base_;
  std::size_t size_;
};

inline constexpr const char* kDefaultDirectory = "/dev/shm";
std::string path_of(const std::string& dir, const std::string& name);

}  // namespace forelock::shm

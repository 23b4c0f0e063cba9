#include "shm/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/signature.h"
#include "shm/clock.h"
#include "shm/error.h"
#include "shm/liveness.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

namespace forelock::shm {

namespace {

using core::Capacity;
using core::Header;
using core::Layout;

constexpr std::uint64_t kDefaultAgeingMs = 30'000;
constexpr std::uint32_t kDefaultHeap = 32'768;  // pages: 128 MiB of addresses; memory comes with use
constexpr double kDefaultMaxReserve = 0.25;
constexpr std::uint32_t kDefaultTelemetry = 4096;
constexpr std::uint32_t kMaxTelemetry = 1u << 20;
constexpr std::uint32_t kMaxHeap = 1u << 22;  // 16 GiB
constexpr int kAttempts = 1000;               // to open or to remove a path on which others are at work too
constexpr core::ParticipantId kRemoving = 0;  // the byte of no participant: whoever takes the file from its path has it
const std::vector<std::string> kDefaultTiers = {"background", "standard", "interactive", "critical"};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string reason(int error) { return std::strerror(error); }

[[noreturn]] void fail_memory(const std::string& what, int error) {
  throw OpenError(
      "ERR_FORELOCK_MEMORY",
      what + ": " + reason(error) + " (raise the size of the shared-memory file system, choose another with `dir`, or lower `capacity`)");
}

Capacity capacity_of(const Wanted& wanted) {
  Capacity capacity;
  if (wanted.elements) capacity.elements = *wanted.elements;
  if (wanted.slots) capacity.slots = *wanted.slots;
  if (wanted.participants) capacity.participants = *wanted.participants;
  if (wanted.texts) capacity.texts = *wanted.texts;
  capacity.heap = wanted.heap.value_or(kDefaultHeap);
  capacity.telemetry = wanted.telemetry.value_or(kDefaultTelemetry);
  capacity.rows = core::kStatRows;  // addresses only, until something is counted
  // Whole chunks of slots.
  capacity.slots = (capacity.slots + core::kChunkSlots - 1) / core::kChunkSlots * core::kChunkSlots;
  return capacity;
}

// One page of bits says which extents are backed.
constexpr std::size_t kExtentsMax = core::kPage * 8 * core::kExtent;

bool valid(const Capacity& c) {
  return c.elements >= 1 && c.elements <= core::kMaxElements && c.slots >= core::kChunkSlots && c.slots <= core::kMaxSlots &&
         c.slots % core::kChunkSlots == 0 && c.participants >= 3 && c.participants <= core::kMaxParticipants && c.texts >= 1 &&
         c.texts <= (1u << 24) && c.heap <= kMaxHeap && c.telemetry <= kMaxTelemetry && (c.telemetry & (c.telemetry - 1)) == 0 &&
         c.rows <= core::kStatRows && Layout::of(c).size <= kExtentsMax;
}

void make_header(void* base, const Capacity& capacity, const Wanted& wanted, bool is_private) {
  core::Origin origin{};
  origin.capacity = capacity;
  random_bytes(origin.seed, sizeof origin.seed);
  random_bytes(origin.identity, sizeof origin.identity);
  boot_id(origin.boot_id);
  origin.time_namespace = time_namespace();
  // A virtual clock begins at one second, so that no time on it is 0, which means "none".
  origin.now = wanted.is_virtual.value_or(false) ? 1'000'000'000 : monotonic_now();
  origin.wall_ms = wall_now() / core::kNanosPerMilli;
  origin.ageing = wanted.ageing_ms.value_or(kDefaultAgeingMs) * core::kNanosPerMilli;
  origin.max_reserve = wanted.max_reserve.value_or(kDefaultMaxReserve);
  origin.claim_within = wanted.claim_within_ms.value_or(0);
  origin.is_virtual = wanted.is_virtual.value_or(false);
  origin.is_private = is_private;
  core::initialise(base, origin);
  Header& header = *static_cast<Header*>(base);
  // Of a virtual clock nothing else is known than when it began.
  if (!origin.is_virtual) header.wall_offset.store(wall_offset(), std::memory_order_relaxed);
  header.signature = core::kSignature;
  // In finer steps than milliseconds, or an arena made anew within the one of its predecessor would repeat its tokens.
  // 2^20 a millisecond are more than a token a nanosecond, which no element can give.
  const core::Nanos wall = wall_now();
  header.token_floor.store((wall / core::kNanosPerMilli << 20) + (wall % core::kNanosPerMilli << 20) / core::kNanosPerMilli,
                           std::memory_order_relaxed);
  const auto& tiers = wanted.tiers ? *wanted.tiers : kDefaultTiers;
  header.tier_count = static_cast<std::uint32_t>(tiers.size());
  for (std::size_t i = 0; i < tiers.size() && i < core::kTiers; i++) {
    std::strncpy(header.tier_names[i], tiers[i].c_str(), core::kTierNameBytes - 1);
  }
}

std::vector<std::string> tiers_of(const Header& header) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < header.tier_count && i < core::kTiers; i++) {
    names.emplace_back(header.tier_names[i], strnlen(header.tier_names[i], core::kTierNameBytes));
  }
  return names;
}

std::string join(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

[[noreturn]] void fail_config(const char* option, const std::string& stored, const std::string& given) {
  throw OpenError("ERR_FORELOCK_CONFIG",
                  std::string("the arena was made with ") + option + " " + stored + ", not " + given +
                      "; open it with the same value or leave it out (tiers, ageing and claimWithin can be changed with `update: true`)",
                  option, stored, given);
}

// Before the mapping is trusted with anything: is this one of ours, of this build's layout, whole, of this boot?
enum class Check { kGood, kOtherBoot, kRetired };
Check check_header(const Header& header, std::size_t file_size) {
  if (header.magic != core::kMagic) throw OpenError("ERR_FORELOCK_CORRUPT", "the file is not a forelock arena");
  if (header.format != core::kFormat || header.signature != core::kSignature || header.header_bytes != sizeof(Header)) {
    throw OpenError("ERR_FORELOCK_VERSION",
                    "the arena was made by a build with another layout: stored format " + std::to_string(header.format) + " signature " +
                        std::to_string(header.signature) + ", this build has format " + std::to_string(core::kFormat) + " signature " +
                        std::to_string(core::kSignature),
                    "layout", std::to_string(header.format) + ":" + std::to_string(header.signature),
                    std::to_string(core::kFormat) + ":" + std::to_string(core::kSignature));
  }
  if (!valid(header.capacity) || header.size != Layout::of(header.capacity).size || header.size != file_size || header.tier_count < 1 ||
      header.tier_count > core::kTiers) {
    throw OpenError("ERR_FORELOCK_CORRUPT", "the arena's header contradicts itself or the size of its file");
  }
  std::uint64_t boot[2];
  boot_id(boot);
  if (header.boot_id[0] != boot[0] || header.boot_id[1] != boot[1]) return Check::kOtherBoot;
  const std::uint32_t retired = header.retired.load(std::memory_order_acquire);
  if (retired == kDamaged)
    throw OpenError("ERR_FORELOCK_CORRUPT", "a participant found the arena damaged: close it everywhere, then unlink it by force");
  if (retired != 0) return Check::kRetired;
  if (header.time_namespace != time_namespace()) {
    throw OpenError("ERR_FORELOCK_VERSION", "the arena was made in another time namespace: its clock is not ours", "time namespace",
                    std::to_string(header.time_namespace), std::to_string(time_namespace()));
  }
  return Check::kGood;
}

std::size_t check_file(int descriptor, const std::string& path) {
  struct stat info;
  if (fstat(descriptor, &info) != 0) throw OpenError("ERR_FORELOCK_OWNER", path + ": " + reason(errno));
  if (!S_ISREG(info.st_mode)) throw OpenError("ERR_FORELOCK_OWNER", path + " is not a regular file");
  if (info.st_uid != geteuid()) {
    throw OpenError("ERR_FORELOCK_OWNER", path + " belongs to another user", "owner", std::to_string(info.st_uid),
                    std::to_string(geteuid()));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) throw OpenError("ERR_FORELOCK_OWNER", path + " is writable by others");
  return static_cast<std::size_t>(info.st_size);
}

std::optional<Check> check_contents(int descriptor, const std::string& path) {
  const std::size_t size = check_file(descriptor, path);
  alignas(Header) unsigned char page[core::kPage];
  if (size < sizeof page || pread(descriptor, page, sizeof page, 0) != static_cast<ssize_t>(sizeof page)) {
    throw OpenError("ERR_FORELOCK_CORRUPT", path + " is too short for an arena");
  }
  return check_header(*reinterpret_cast<Header*>(page), size);
}

int open_path(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0 || errno == ENOENT) return fd;
  if (errno == ELOOP) throw OpenError("ERR_FORELOCK_OWNER", path + " is a symbolic link");
  throw OpenError("ERR_FORELOCK_OWNER", path + ": " + reason(errno));
}

// Takes this very file from its path. Of all who want that one at a time may, under a lock on the file itself: without
// it a slow one would unlink the arena that a quick one has just made in its place. False: another is at it, try again.
bool remove_path(int descriptor, const std::string& path) {
  if (!take_byte(descriptor, kRemoving)) {
    const timespec moment{0, 1'000'000};
    nanosleep(&moment, nullptr);
    return false;
  }
  struct stat ours, named;
  const bool there =
      fstat(descriptor, &ours) == 0 && lstat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
  const int error = there && ::unlink(path.c_str()) != 0 ? errno : 0;
  give_byte(descriptor, kRemoving);
  if (error != 0 && error != ENOENT) throw OpenError("ERR_FORELOCK_OWNER", path + ": " + reason(error));
  return true;
}

// The size is that of all tables; what stands behind them grows with use.
void size_file(int descriptor, const Layout& layout) {
  if (ftruncate(descriptor, static_cast<off_t>(layout.size)) != 0)
    fail_memory("an arena of " + std::to_string(layout.size) + " bytes", errno);
  if (fallocate(descriptor, 0, 0, static_cast<off_t>(layout.eager)) != 0) fail_memory("memory for a new arena", errno);
}

// Byte locks of open file descriptions are what liveness rests on; where they are missing nothing would be recovered.
void require_byte_locks(int descriptor) {
  struct flock lock = byte_lock(F_WRLCK, 0);
  if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) {
    throw OpenError("ERR_FORELOCK_UNSUPPORTED",
                    "this file system or kernel has no open-file-description locks (F_OFD_SETLK): " + reason(errno));
  }
}

}  // namespace

std::string path_of(const std::string& dir, const std::string& name) { return dir + "/forelock." + name; }

std::unique_ptr<Region> Region::map(int descriptor, std::size_t size) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) {
    const int error = errno;
    close(descriptor);
    fail_memory("mapping an arena", error);
  }
  // A forked child must not touch locks that are not its own.
  madvise(base, size, MADV_DONTFORK);
  close_after_fork(descriptor, true);
  return std::unique_ptr<Region>(new Region(descriptor, base, size));
}

Region::~Region() {
  munmap(base_, size_);
  close_after_fork(descriptor_, false);
  close(descriptor_);
}

bool Region::back(std::size_t offset, std::size_t bytes) const {
  return fallocate(descriptor_, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0;
}

bool Region::is_unlinked() const {
  struct stat info;
  return fstat(descriptor_, &info) == 0 && info.st_nlink == 0;
}

std::unique_ptr<Region> Region::open_named(const std::string& dir, const std::string& name, const Wanted& wanted) {
  const std::string path = path_of(dir, name);
  const Capacity capacity = capacity_of(wanted);
  if (!valid(capacity)) throw OpenError("ERR_FORELOCK_ARGUMENT", "capacity out of range", "capacity", "", "");
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    Descriptor file(open_path(path));
    if (file.get() >= 0) {
      const auto check = check_contents(file.get(), path);
      if (check != Check::kGood) {  // of another boot, or being unlinked by somebody who died over it
        remove_path(file.get(), path);
        continue;
      }
      require_byte_locks(file.get());
      const std::size_t size = check_file(file.get(), path);
      auto region = map(file.take(), size);
      region->reconcile(wanted);
      return region;
    }
    // Made without a name and linked when it is whole: nobody ever sees a half-made arena.
    Descriptor fresh(open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fresh.get() < 0) throw OpenError("ERR_FORELOCK_OWNER", "cannot make an arena in " + dir + ": " + reason(errno));
    const Layout layout = Layout::of(capacity);
    size_file(fresh.get(), layout);
    require_byte_locks(fresh.get());
    const std::string self = "/proc/self/fd/" + std::to_string(fresh.get());
    auto region = map(fresh.take(), layout.size);
    make_header(region->base(), capacity, wanted, false);
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return region;
    if (errno != EEXIST) throw OpenError("ERR_FORELOCK_OWNER", path + ": " + reason(errno));
  }
  throw OpenError("ERR_FORELOCK_OWNER", path + " is stale and not removed, or made and unlinked over and over, by others");
}

std::unique_ptr<Region> Region::open_existing(const std::string& dir, const std::string& name) {
  const std::string path = path_of(dir, name);
  Descriptor file(open_path(path));
  if (file.get() < 0) throw OpenError("ERR_FORELOCK_NOT_FOUND", "there is no arena " + path);
  if (check_contents(file.get(), path) != Check::kGood) throw OpenError("ERR_FORELOCK_RETIRED", path + " is of another boot or retired");
  const std::size_t size = check_file(file.get(), path);
  return map(file.take(), size);
}

std::unique_ptr<Region> Region::make_private(const Wanted& wanted) {
  const Capacity capacity = capacity_of(wanted);
  if (!valid(capacity)) throw OpenError("ERR_FORELOCK_ARGUMENT", "capacity out of range", "capacity", "", "");
  Descriptor memory(memfd_create("forelock", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  Descriptor older(memory.get() < 0 && errno == EINVAL ? memfd_create("forelock", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1);
  const int fd = memory.get() >= 0 ? memory.take() : older.take();
  if (fd < 0) fail_memory("memory for a private arena", errno);
  Descriptor file(fd);
  const Layout layout = Layout::of(capacity);
  size_file(file.get(), layout);
  // Nobody can truncate it under us: a private arena cannot end in SIGBUS.
  fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  require_byte_locks(file.get());
  auto region = map(file.take(), layout.size);
  make_header(region->base(), capacity, wanted, true);
  return region;
}

std::unique_ptr<Region> Region::reopen() const {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
  Descriptor file(open(self.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) throw OpenError("ERR_FORELOCK_MEMORY", "reopening a private arena: " + reason(errno));
  return map(file.take(), size_);
}

bool Region::unlink(const std::string& dir, const std::string& name, bool force) {
  const std::string path = path_of(dir, name);
  Descriptor file(open_path(path));
  if (file.get() < 0) return false;
  check_file(file.get(), path);
  std::unique_ptr<Region> region;
  try {
    if (check_contents(file.get(), path) == Check::kGood) {
      const std::size_t size = check_file(file.get(), path);
      region = map(file.take(), size);
    }
  } catch (const OpenError&) {
    if (!force) throw;  // not an arena of this build: only on demand
  }
  if (region && !force) {
    for (core::ParticipantId id = 1; id <= region->header().capacity.participants; id++) {
      if (byte_is_taken(region->descriptor(), id)) {
        throw OpenError("ERR_FORELOCK_IN_USE", "the arena " + name + " has live participants; close them or use force");
      }
    }
  }
  if (region) region->header().retired.store(kUnlinked, std::memory_order_release);
  const int descriptor = region ? region->descriptor() : file.get();
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    if (remove_path(descriptor, path)) return true;
  }
  throw OpenError("ERR_FORELOCK_OWNER", path + " is being removed by a process that does not go on");
}

void Region::reconcile(const Wanted& wanted) const {
  Header& header = this->header();
  const Capacity& stored = header.capacity;
  const auto fixed = [](const char* option, const std::optional<std::uint32_t>& given, std::uint32_t kept) {
    if (given && *given != kept) fail_config(option, std::to_string(kept), std::to_string(*given));
  };
  fixed("capacity.elements", wanted.elements, stored.elements);
  const std::uint32_t chunk = core::kChunkSlots;
  if (wanted.slots) fixed("capacity.waiters", (*wanted.slots + chunk - 1) / chunk * chunk, stored.slots);
  fixed("capacity.participants", wanted.participants, stored.participants);
  fixed("capacity.names", wanted.texts, stored.texts);
  if (wanted.heap && *wanted.heap != stored.heap) {
    fail_config("capacity.memory", std::to_string(std::uint64_t{stored.heap} * core::kPage),
                std::to_string(std::uint64_t{*wanted.heap} * core::kPage));
  }
  fixed("capacity.telemetry", wanted.telemetry, stored.telemetry);
  if (wanted.is_virtual && *wanted.is_virtual != (header.is_virtual != 0)) {
    fail_config("clock", header.is_virtual != 0 ? "virtual" : "monotonic", *wanted.is_virtual ? "virtual" : "monotonic");
  }
  if (wanted.ageing_ms) {
    const std::uint64_t given = *wanted.ageing_ms * core::kNanosPerMilli;
    const std::uint64_t kept = header.ageing.load(std::memory_order_acquire);
    if (given != kept) {
      if (!wanted.update) fail_config("ageing", std::to_string(kept / core::kNanosPerMilli), std::to_string(*wanted.ageing_ms));
      header.ageing.store(given, std::memory_order_release);
    }
  }
  if (wanted.max_reserve) {
    const double kept = std::bit_cast<double>(header.max_reserve.load(std::memory_order_acquire));
    if (*wanted.max_reserve != kept) {
      if (!wanted.update) fail_config("maxReserve", std::to_string(kept), std::to_string(*wanted.max_reserve));
      header.max_reserve.store(std::bit_cast<std::uint64_t>(*wanted.max_reserve), std::memory_order_release);
    }
  }
  if (wanted.claim_within_ms) {
    const std::uint32_t kept = header.claim_within.load(std::memory_order_acquire);
    if (*wanted.claim_within_ms != kept) {
      if (!wanted.update) fail_config("claimWithin", std::to_string(kept), std::to_string(*wanted.claim_within_ms));
      header.claim_within.store(*wanted.claim_within_ms, std::memory_order_release);
    }
  }
  if (wanted.tiers && *wanted.tiers != tiers_of(header)) {
    // Requests in flight carry a tier's number, so names may change and their count may not.
    if (!wanted.update || wanted.tiers->size() != header.tier_count) fail_config("tiers", join(tiers_of(header)), join(*wanted.tiers));
    for (std::size_t i = 0; i < wanted.tiers->size(); i++) {
      std::strncpy(header.tier_names[i], (*wanted.tiers)[i].c_str(), core::kTierNameBytes - 1);
    }
  }
}

}  // namespace forelock::shm

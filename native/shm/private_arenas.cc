#include "shm/private_arenas.h"

#include "shm/error.h"
#include "shm/process.h"

namespace forelock::shm {

PrivateArenas& PrivateArenas::instance() {
  // Never destroyed: worker threads may still leave while the process exits.
  static PrivateArenas* const arenas = new PrivateArenas;
  return *arenas;
}

std::unique_ptr<Region> PrivateArenas::open_default(const Wanted& wanted, std::string& handle) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(default_);
  if (found == entries_.end()) {
    auto region = make(wanted, handle);
    default_ = handle;
    return region;
  }
  handle = default_;
  return use(found->second, wanted);
}

std::unique_ptr<Region> PrivateArenas::open_fresh(const Wanted& wanted, std::string& handle) {
  const std::lock_guard guard(mutex_);
  return make(wanted, handle);
}

std::unique_ptr<Region> PrivateArenas::open_handle(const std::string& handle, const Wanted& wanted) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(handle);
  if (found == entries_.end()) {
    throw OpenError("ERR_FORELOCK_NOT_FOUND", "no private arena of this process has that handle (it goes when its last user closes it)");
  }
  return use(found->second, wanted);
}

void PrivateArenas::leave(const std::string& handle) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(handle);
  if (found != entries_.end() && --found->second.users == 0) entries_.erase(found);
}

std::unique_ptr<Region> PrivateArenas::make(const Wanted& wanted, std::string& handle) {
  auto keeper = Region::make_private(wanted);
  auto region = keeper->reopen();
  unsigned char random[16];  // who can guess it could join
  random_bytes(random, sizeof random);
  handle.clear();
  for (const unsigned char byte : random) {
    handle += "0123456789abcdef"[byte >> 4];
    handle += "0123456789abcdef"[byte & 15];
  }
  entries_[handle] = {std::move(keeper), 1};
  return region;
}

std::unique_ptr<Region> PrivateArenas::use(Entry& entry, const Wanted& wanted) {
  entry.keeper->reconcile(wanted);
  auto region = entry.keeper->reopen();
  entry.users++;
  return region;
}

}  // namespace forelock::shm

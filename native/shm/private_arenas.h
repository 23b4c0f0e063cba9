// The private arenas of this process, by handle: worker threads join one through its handle, and open() without a name
// gives the one default to all of them. An arena goes when the last environment has left it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "shm/region.h"

namespace forelock::shm {

class PrivateArenas {
 public:
  static PrivateArenas& instance();

  // Each returned region counts as a user until leave(handle). All throw OpenError.
  std::unique_ptr<Region> open_default(const Wanted& wanted, std::string& handle);
  std::unique_ptr<Region> open_fresh(const Wanted& wanted, std::string& handle);
  std::unique_ptr<Region> open_handle(const std::string& handle, const Wanted& wanted);
  void leave(const std::string& handle);

 private:
  struct Entry {
    std::unique_ptr<Region> keeper;
    int users = 0;
  };
  std::unique_ptr<Region> make(const Wanted& wanted, std::string& handle);
  std::unique_ptr<Region> use(Entry& entry, const Wanted& wanted);

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::string default_;
};

}  // namespace forelock::shm

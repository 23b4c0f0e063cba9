// A folder in /dev/shm for one test, gone with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace forelock::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char path[] = "/dev/shm/forelock-unit-XXXXXX";
    if (mkdtemp(path) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // what cannot be removed is found by whoever looks into /dev/shm, and fails no test
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/forelock." + name; }

 private:
  std::string path_;
};

}  // namespace forelock::test

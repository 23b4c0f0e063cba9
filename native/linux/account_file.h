// A file of the kernel's accounts (/proc, cgroups), kept open: one pread makes it anew, and a file of /proc/PID goes on to mean the process
// that had the pid when it was opened. Its numbers are added to a reading, each times a factor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "linux/counters.h"
#include "linux/descriptor.h"

namespace forelock::os {

// Where a number stands. Fields are separated by blanks, ':' and '='; a command in parentheses is one field.
//   column > 0, no key:  the field of that number in the whole text
//   column > 0, key:     the field of that number in the lines whose first field is the key; all of them added
//   column < 0, key:     the same in the lines whose first field is another and where that field is a number
//   column 0,   key:     the field after each one that is the key; all of them added
struct Term {
  int column;
  std::string key;
  int counter;
  double factor;
  bool or_zero;  // a text without the number says that there was nothing of it yet
};

class AccountFile {
 public:
  AccountFile(const std::string& path, std::vector<Term> terms);

  // What the text has for a term; kAbsent when it has not.
  static double find(std::string_view text, const Term& term);

  bool is_open() const { return file_.is_open(); }
  // Sets the counters that it adds to to zero: before the first of the files that add to them.
  void begin(double* counters) const;
  // Adds each number to its counter, which becomes absent when the number is. False, and all of them absent: the file cannot be read any
  // more.
  bool add_to(double* counters) const;

 private:
  Descriptor file_;
  std::vector<Term> terms_;
};

}  // namespace forelock::os

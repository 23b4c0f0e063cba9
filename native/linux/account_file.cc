#include "linux/account_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace forelock::os {

namespace {

// More than the kernel gives for one pread of any of these files but an io.stat of some hundred devices.
constexpr std::size_t kLongest = 65536;

bool separates(char c) { return c == ' ' || c == '\t' || c == ':' || c == '='; }

// Takes the next field of a text of any number of lines off its front; false at the end. `line` counts the newlines passed.
bool next_field(std::string_view& text, std::string_view& field, int& line) {
  while (!text.empty() && (separates(text.front()) || text.front() == '\n')) {
    if (text.front() == '\n') line++;
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  std::size_t length = 0;
  // A command may hold anything, so it ends at the last parenthesis.
  if (text.front() == '(') length = text.rfind(')') == std::string_view::npos ? 0 : text.rfind(')');
  while (length < text.size() && !separates(text[length]) && text[length] != '\n') length++;
  field = text.substr(0, length);
  text.remove_prefix(length);
  return true;
}

double number_of(std::string_view field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  return error == std::errc() && end == field.data() + field.size() && std::isfinite(value) ? value : kAbsent;
}

// Of what may not be there.
double plus(double sum, double value) { return std::isnan(value) ? sum : std::isnan(sum) ? value : sum + value; }

double by_place(std::string_view text, int column) {
  std::string_view field;
  int line = 0;
  for (int at = 1; next_field(text, field, line); at++) {
    if (at == column) return number_of(field);
  }
  return kAbsent;
}

double by_name(std::string_view text, std::string_view key) {
  double sum = kAbsent;
  std::string_view field;
  int line = 0;
  while (next_field(text, field, line)) {
    if (field != key || !next_field(text, field, line)) continue;
    sum = plus(sum, number_of(field));
  }
  return sum;
}

double by_line(std::string_view text, const Term& term) {
  double sum = kAbsent;
  std::string_view field;
  int line = 0;
  int before = -1;
  int at = 0;
  bool wanted = false;
  const int column = std::abs(term.column);
  while (next_field(text, field, line)) {
    if (line != before) {
      before = line;
      at = 0;
      wanted = (field == term.key) == (term.column > 0);
    }
    if (++at == column && wanted) sum = plus(sum, number_of(field));
  }
  return sum;
}

}  // namespace

AccountFile::AccountFile(const std::string& path, std::vector<Term> terms)
    : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), terms_(std::move(terms)) {}

double AccountFile::find(std::string_view text, const Term& term) {
  const double found = term.key.empty() ? by_place(text, term.column) : term.column == 0 ? by_name(text, term.key) : by_line(text, term);
  return std::isnan(found) && term.or_zero ? 0 : found;
}

void AccountFile::begin(double* counters) const {
  for (const Term& term : terms_) counters[term.counter] = 0;
}

bool AccountFile::add_to(double* counters) const {
  char text[kLongest];
  const ssize_t length = pread(file_.number(), text, sizeof text, 0);
  // What does not fit would be added in part.
  const bool whole = length >= 0 && static_cast<std::size_t>(length) < sizeof text;
  for (const Term& term : terms_) {
    const double found = whole ? find({text, static_cast<std::size_t>(length)}, term) : kAbsent;
    counters[term.counter] += found * term.factor;
  }
  return length >= 0;
}

}  // namespace forelock::os

# Flags every native target shares, as interface targets.
find_package(Threads REQUIRED)

add_library(forelock_flags INTERFACE)
target_include_directories(forelock_flags INTERFACE ${CMAKE_SOURCE_DIR}/native)
target_compile_options(forelock_flags INTERFACE -Wall -Wextra)
target_link_libraries(forelock_flags INTERFACE Threads::Threads)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  # Compare-and-swap of 16 bytes (core/atomic_pair.h), which every x86-64 processor since 2006 has.
  target_compile_options(forelock_flags INTERFACE -mcx16)
endif()

if(FORELOCK_SANITIZE)
  # Without frame pointers and with inlining at -O3 the reports name the wrong lines.
  target_compile_options(forelock_flags INTERFACE -fsanitize=${FORELOCK_SANITIZE} -fno-omit-frame-pointer -O1)
  target_link_options(forelock_flags INTERFACE -fsanitize=${FORELOCK_SANITIZE})
  if(FORELOCK_SANITIZE STREQUAL "undefined")
    # A report that does not fail the run is not read by anybody.
    target_compile_options(forelock_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()

if(FORELOCK_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "FORELOCK_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  # Counts branches in the code under test; the fuzzers themselves link the driver.
  target_compile_options(forelock_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

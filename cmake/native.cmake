# Test programs that run without Node: one executable for each .cc file of a folder.
enable_testing()

add_library(forelock_core OBJECT ${CORE_SOURCES})
target_link_libraries(forelock_core PUBLIC forelock_flags)
add_library(forelock_shm OBJECT ${SHM_SOURCES})
target_link_libraries(forelock_shm PUBLIC forelock_flags)
add_library(forelock_linux OBJECT ${LINUX_SOURCES})
target_link_libraries(forelock_linux PUBLIC forelock_flags)
add_library(forelock_predict OBJECT ${PREDICT_SOURCES})
target_link_libraries(forelock_predict PUBLIC forelock_flags)

# forelock_programs(SUITE FOLDER [TEST] LIBRARIES ...): builds FOLDER/*.cc as SUITE-<name>, all behind the target SUITE;
# with TEST each is registered with ctest under the label SUITE.
function(forelock_programs SUITE FOLDER)
  cmake_parse_arguments(ARG "TEST" "" "LIBRARIES" ${ARGN})
  file(GLOB PROGRAMS CONFIGURE_DEPENDS ${FOLDER}/*.cc)
  add_custom_target(${SUITE})
  foreach(PROGRAM ${PROGRAMS})
    get_filename_component(NAME ${PROGRAM} NAME_WE)
    set(TARGET ${SUITE}-${NAME})
    add_executable(${TARGET} EXCLUDE_FROM_ALL ${PROGRAM})
    target_include_directories(${TARGET} PRIVATE ${CMAKE_SOURCE_DIR}/native/test)
    target_link_libraries(${TARGET} PRIVATE ${ARG_LIBRARIES})
    set_target_properties(${TARGET} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${SUITE})
    add_dependencies(${SUITE} ${TARGET})
    if(ARG_TEST)
      add_test(NAME ${SUITE}/${NAME} COMMAND ${TARGET})
      set_tests_properties(${SUITE}/${NAME} PROPERTIES LABELS ${SUITE})
    endif()
  endforeach()
endfunction()

forelock_programs(unit ${CMAKE_SOURCE_DIR}/native/test/unit TEST LIBRARIES forelock_core forelock_shm forelock_linux forelock_predict)
forelock_programs(crash ${CMAKE_SOURCE_DIR}/native/test/crash TEST LIBRARIES forelock_core forelock_shm)

# The same core with its atomics replaced by scheduled ones, but for what needs words of 16 bytes, which the scheduler has not.
set(SCHEDULED_SOURCES ${CORE_SOURCES})
list(FILTER SCHEDULED_SOURCES EXCLUDE REGEX "/keyed\\.cc$")
add_library(forelock_core_scheduled OBJECT ${SCHEDULED_SOURCES})
target_link_libraries(forelock_core_scheduled PUBLIC forelock_flags)
target_compile_definitions(forelock_core_scheduled PUBLIC FORELOCK_SCHEDULED)
target_include_directories(forelock_core_scheduled PUBLIC ${CMAKE_SOURCE_DIR}/native/test/schedule)
forelock_programs(schedule ${CMAKE_SOURCE_DIR}/native/test/schedule TEST LIBRARIES forelock_core_scheduled)

# The same core with a hook before each atomic operation.
add_library(forelock_core_hooked OBJECT ${CORE_SOURCES})
target_link_libraries(forelock_core_hooked PUBLIC forelock_flags)
target_compile_definitions(forelock_core_hooked PUBLIC FORELOCK_SCHEDULED)
target_include_directories(forelock_core_hooked PUBLIC ${CMAKE_SOURCE_DIR}/native/test/interleave/hooked)
forelock_programs(interleave ${CMAKE_SOURCE_DIR}/native/test/interleave TEST LIBRARIES forelock_core_hooked)

if(FORELOCK_FUZZ)
  add_library(forelock_fuzz INTERFACE)
  target_link_options(forelock_fuzz INTERFACE -fsanitize=fuzzer)
  forelock_programs(fuzz ${CMAKE_SOURCE_DIR}/native/test/fuzz LIBRARIES forelock_core forelock_shm forelock_fuzz)
endif()

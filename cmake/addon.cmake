# The addon, built by cmake-js into build-cmake/Release.
add_library(forelock SHARED ${FORELOCK_SOURCES} ${CMAKE_JS_SRC})
set_target_properties(forelock PROPERTIES PREFIX "" SUFFIX ".node" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_compile_definitions(forelock PRIVATE NAPI_VERSION=8)
target_include_directories(forelock PRIVATE ${CMAKE_JS_INC})
target_link_libraries(forelock PRIVATE forelock_flags ${CMAKE_JS_LIB})

# The addon, built by cmake-js into build-cmake/Release.
add_library(forelock SHARED ${FORELOCK_SOURCES} ${CMAKE_JS_SRC})
set_target_properties(forelock PROPERTIES PREFIX "" SUFFIX ".node" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_compile_definitions(forelock PRIVATE NAPI_VERSION=8)
target_include_directories(forelock PRIVATE ${CMAKE_JS_INC})
target_link_libraries(forelock PRIVATE forelock_flags ${CMAKE_JS_LIB})
# cmake-js gives the headers of Node-API alone; uv.h is among those beside the node that runs this.
execute_process(COMMAND node -p "require('path').resolve(process.execPath, '../../include/node')"
                OUTPUT_VARIABLE NODE_HEADERS OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT EXISTS ${NODE_HEADERS}/uv.h)
  message(FATAL_ERROR "uv.h is not in ${NODE_HEADERS}: run this with a node that has its headers beside it")
endif()
target_include_directories(forelock SYSTEM PRIVATE ${NODE_HEADERS})

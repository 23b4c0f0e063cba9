import { accessSync, constants, existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { filesUnder } from './files.mjs'
import { inRoot, root } from './paths.mjs'
import { must } from './run.mjs'

function onPath(command) {
  const runnable = folder => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return process.env.PATH.split(delimiter).some(runnable)
}

/** The newest clang++ of Debian's names that is installed; only clang has libFuzzer. */
export function clang() {
  const found = ['clang++', 'clang++-19', 'clang++-16', 'clang++-14'].find(onPath)
  if (!found) throw new Error('the fuzzers need clang with its run-time library: apt-get install clang libclang-rt-14-dev')
  return found
}

/**
 * Builds the programs of one suite and returns their paths.
 * @param {string} suite unit, crash, schedule or fuzz
 * @param {{ sanitize?: string, compiler?: string, options?: string[] }} [how]
 */
export async function buildPrograms(suite, { sanitize = '', compiler, options = [] } = {}) {
  if (!onPath('cmake')) throw new Error('the native tests need CMake and a C++20 compiler: apt-get install cmake g++ make')
  const folder = inRoot(['build-native', compiler && 'clang', sanitize].filter(Boolean).join('-'))
  const quiet = { cwd: root, capture: true, quiet: true }
  const generator = onPath('ninja') ? ['-G', 'Ninja'] : []
  const configured = existsSync(join(folder, 'CMakeCache.txt'))
  await must(
    'cmake',
    [
      ...['-S', root, '-B', folder, `-DFORELOCK_SANITIZE=${sanitize}`, ...options],
      ...(configured ? [] : [...generator, ...(compiler ? [`-DCMAKE_CXX_COMPILER=${compiler}`] : [])])
    ],
    quiet
  )
  await must('cmake', ['--build', folder, '--target', suite, '--parallel', String(Math.min(availableParallelism(), 4))], quiet)
  return filesUnder(join(folder, suite))
}

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './paths.mjs'

/** Files under a file or folder, sorted, leaving out what `skip` names by its full path. */
export function filesUnder(path, skip = []) {
  if (!existsSync(path) || skip.includes(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap(entry => filesUnder(join(path, entry), skip))
}

/** Every C++ file of the project. */
export const nativeFiles = () =>
  ['native', 'bench/native/addon'].flatMap(folder => filesUnder(inRoot(folder))).filter(file => /\.(cc|h)$/.test(file))

/** True for a path that contains one of the patterns, or when there is none. */
export const matches = (path, patterns) => patterns.length === 0 || patterns.some(pattern => path.includes(pattern))

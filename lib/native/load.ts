import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, parse } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'
import { type LoadAttempt, LoadError } from '../errors/index.js'
import type { Addon } from './binding.js'
import { here } from './here.js'

let addon: Addon | undefined

/**
 * Loads the addon, once.
 *
 * @throws LoadError with every attempt, why it failed and what may help
 */
export function loadAddon(): Addon {
  if (addon !== undefined) return addon
  addon = load(here)
  if (!isMainThread) addon.threadBegins(threadId)
  return addon
}

/** Loads the addon of the package that a folder lies in. */
export function load(from: string): Addon {
  const attempts: LoadAttempt[] = []
  const root = packageRoot(from)
  for (const [source, way] of root === undefined ? [] : waysToLoad(root)) {
    try {
      return way()
    } catch (error) {
      attempts.push({ from: source, error })
    }
  }
  if (root === undefined) attempts.push({ from, error: new Error('no package.json of forelock in this folder or above') })
  throw failed(attempts)
}

/** The nearest folder upwards with the package.json of forelock. */
function packageRoot(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isPackage(join(folder, 'package.json'))) return folder
    if (folder === parse(folder).root) return undefined
  }
}

function isPackage(file: string): boolean {
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'forelock'
}

function waysToLoad(root: string): [string, () => Addon][] {
  // Required here and not imported, so that a program that never opens an arena loads nothing.
  const require = createRequire(join(root, 'package.json'))
  const developed = join(root, 'build-cmake', 'Release', 'forelock.node')
  const ways: [string, () => Addon][] = [[root, () => (require('node-gyp-build') as (root: string) => Addon)(root)]]
  // What node-gyp-build finds nearly everywhere, without the 3 ms that it takes to load it and let it look.
  const usual = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'forelock.glibc.node')
  if (existsSync(usual) && !existsSync(join(root, 'build'))) ways.unshift([usual, () => require(usual) as Addon])
  // Only in a checkout: what cmake-js builds.
  if (existsSync(developed)) ways.push([developed, () => require(developed) as Addon])
  return ways
}

function failed(attempts: readonly LoadAttempt[]): LoadError {
  const remedies = remediesFor(attempts)
  const tried = attempts.map(({ from, error }) => `  - ${from}: ${messageOf(error)}`)
  const message = [
    'the native addon of forelock could not be loaded',
    'Tried:',
    ...tried,
    'What may help:',
    ...remedies.map(remedy => `  - ${remedy}`)
  ]
  return new LoadError(message.join('\n'), { attempts, remedies }, attempts[0]?.error)
}

const BUILD_IT = 'in node_modules/forelock run npx node-gyp@12 rebuild, which needs Python, make and g++ 12'

/** The causes that can be told from here, most telling first. */
function remediesFor(attempts: readonly LoadAttempt[]): string[] {
  const { versions, platform, arch } = process
  const text = attempts.map(({ error }) => `${(error as { code?: unknown }).code} ${messageOf(error)}`).join('\n')
  const remedies = [
    [/ERR_DLOPEN_DISABLED/.test(text), 'node runs under --permission: add --allow-addons (and --allow-fs-read for the package)'],
    [/ERR_ACCESS_DENIED/.test(text), 'node runs under --permission: add --allow-fs-read for the folder of the package'],
    [platform !== 'linux', `forelock runs on Linux only, this is ${platform}`],
    [/GLIBC|GLIBCXX|libc\.musl|ld-linux|ELF/.test(text), `the file was built for another C library or processor: ${BUILD_IT}`],
    [/No native build/.test(text), `no build for ${platform}-${arch} is in the package: ${BUILD_IT}`],
    [
      /no package\.json of forelock/.test(text),
      'a bundler moved the code away from its files: mark forelock as external and install it beside the bundle'
    ],
    [versions.electron !== undefined, 'in Electron: keep forelock out of the asar archive (asarUnpack)'],
    [versions.bun !== undefined || versions.deno !== undefined, 'forelock is tested on Node.js only'],
    [
      isSingleExecutable(),
      'in a single executable: ship the package in a folder beside it, and require it with module.createRequire from there'
    ]
  ] as const
  const found = remedies.filter(([applies]) => applies).map(([, remedy]) => remedy)
  return found.length > 0 ? found : ['install forelock anew; if that does not help, please report this message']
}

function isSingleExecutable(): boolean {
  try {
    return (createRequire(join(here, 'x.js'))('node:sea') as { isSea(): boolean }).isSea()
  } catch {
    // Node without single executables.
    return false
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n', 1)[0] || error.name : String(error)
}

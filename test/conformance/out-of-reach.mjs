import { readFileSync } from 'node:fs'

/** What a file needs that Node has no counterpart of, and how its text shows it. First match wins. */
const NEEDS = [
  [/bfcache/, 'needs the back/forward cache'],
  [/storageBuckets/, 'needs storage buckets'],
  [/service_worker_|serviceWorker/, 'needs service workers'],
  [/partition/i, 'needs partitioned storage of cross-site frames'],
  [/sandbox|opaque/, 'needs opaque origins'],
  [/fully active|NonFullyActive|non-fully-active/i, 'needs documents that are not fully active'],
  [/non-secure|isSecureContext\)?\s*,?\s*false|assert_false\(\s*self\.isSecureContext/, 'needs an insecure context'],
  [/window\.open|location\.href\s*=|history\.back|\.navigate|around-navigation/, 'needs navigation'],
  [
    /Queue the first group of lock requests from the different clients/,
    'orders messages to several frames by one shared event loop; threads have none'
  ],
  [/SharedWorker\(/, 'needs shared workers']
]

/** Why a test file cannot run outside a browser, or undefined. */
export function outOfReach(path) {
  if (path.includes('crashtest')) return 'a crash test of a browser: it asserts nothing'
  const text = readFileSync(path, 'utf8')
  return NEEDS.find(([pattern]) => pattern.test(path) || pattern.test(text))?.[1]
}

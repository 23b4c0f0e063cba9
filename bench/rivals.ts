/** Who is measured, and by which driver. A floor is what the machine allows at best; it is measured in the same run. */
export interface Contestant {
  /** file in drivers/, and which of its exports connects (`connect` unless said) */
  driver: string
  connect?: string
  /** npm package in bench/package.json, if there is one; it runs under a Node that its `engines` allow */
  package?: string
  /** Node release it needs, where that is no matter of `engines` */
  node?: string
  needsRedis?: true
}

/** The Node release from npm for rivals that this Node does not suit. */
export const OTHER_NODE = '24.21.0'

export const OWN = {
  locks: { driver: 'forelock' },
  buckets: { driver: 'forelock-buckets' },
  pools: { driver: 'forelock-pools' },
  queue: { driver: 'forelock-queue' },
  metering: { driver: 'forelock-metering' },
  attribution: { driver: 'forelock-metering', connect: 'attributed' },
  runs: { driver: 'forelock-metering', connect: 'runs' },
  history: { driver: 'forelock-history' },
  recorder: { driver: 'forelock-recorder' }
} satisfies Record<string, Contestant>

/** By the names that the results use: of the npm package, where there is one. */
export const RIVALS = {
  'async-sema': { driver: 'async-sema', package: 'async-sema' },
  'async-mutex': { driver: 'async-mutex', package: 'async-mutex' },
  'p-limit': { driver: 'p-limit', package: 'p-limit' },
  'p-queue': { driver: 'p-queue', package: 'p-queue' },
  cockatiel: { driver: 'cockatiel', package: 'cockatiel' },
  'proper-lockfile': { driver: 'proper-lockfile', package: 'proper-lockfile' },
  'navigator.locks': { driver: 'navigator-locks', node: OTHER_NODE },
  redis: { driver: 'redis', package: 'ioredis', needsRedis: true },
  limiter: { driver: 'limiter', package: 'limiter' },
  'rate-limiter-flexible': { driver: 'rate-limiter-flexible', package: 'rate-limiter-flexible' },
  'rate-limiter-flexible/cluster': { driver: 'rate-limiter-flexible', connect: 'clustered', package: 'rate-limiter-flexible' },
  'rate-limiter-flexible/redis': {
    driver: 'rate-limiter-flexible',
    connect: 'redis',
    package: 'rate-limiter-flexible',
    needsRedis: true
  },
  bottleneck: { driver: 'bottleneck', package: 'bottleneck' },
  'async-mutex/semaphore': { driver: 'async-mutex', connect: 'semaphore', package: 'async-mutex' },
  chained: { driver: 'chained', package: 'bottleneck' },
  MessageChannel: { driver: 'message-channel' },
  bullmq: { driver: 'bullmq', package: 'bullmq', needsRedis: true },
  'prom-client': { driver: 'prom-client', package: 'prom-client' },
  'blocked-at': { driver: 'interleaved', connect: 'blockedAt', package: 'blocked-at' },
  'blocked-at/runs': { driver: 'run3', connect: 'blockedAt', package: 'blocked-at' },
  'better-sqlite3': { driver: 'better-sqlite3', package: 'better-sqlite3' }
} satisfies Record<string, Contestant>

export const FLOORS = {
  call: { driver: 'floors', connect: 'call' },
  cas: { driver: 'floors', connect: 'cas' },
  casShared: { driver: 'floors', connect: 'casShared' },
  futex: { driver: 'floors', connect: 'futex' },
  coldLine: { driver: 'floors', connect: 'coldLine' },
  copies: { driver: 'floors', connect: 'copies' },
  bare: { driver: 'interleaved', connect: 'bare' },
  hooked: { driver: 'interleaved', connect: 'hooked' },
  unrecorded: { driver: 'forelock-recorder', connect: 'unrecorded' }
} satisfies Record<string, Contestant>

export type OwnName = keyof typeof OWN
export type RivalName = keyof typeof RIVALS
export type FloorName = keyof typeof FLOORS

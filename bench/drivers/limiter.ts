import type { Connect } from './driver.js'

interface RateLimiter {
  tryRemoveTokens(n: number): boolean
}

export const connect: Connect = async () => {
  const { RateLimiter } = (await import('limiter' as string)) as {
    RateLimiter: new (options: { tokensPerInterval: number; interval: 'second' }) => RateLimiter
  }
  const limiter = new RateLimiter({ tokensPerInterval: 1e12, interval: 'second' })
  return {
    tokens(n) {
      let done = 0
      for (let i = 0; i < n; i++) if (limiter.tryRemoveTokens(1)) done++
      return done
    },
    close() {}
  }
}

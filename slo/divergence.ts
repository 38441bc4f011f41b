/**
 * The Kullback–Leibler divergence of two Bernoulli distributions, in nats: how much one event, on average, speaks for a
 * failing share of `p` and against one of `q`. 0 when they are equal; infinite when `q` cannot be.
 *
 * Source: T. M. Cover, J. A. Thomas, Elements of Information Theory, 2nd ed., §2.3.
 */
export function divergence(p: number, q: number): number {
  return part(p, q) + part(1 - p, 1 - q);
}

const part = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));

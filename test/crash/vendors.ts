/** The simulated vendors, as seen from outside: how slow or broken they are, and what they were asked. */
import { call, json } from '#test/kit/client.ts';

export type Plan = Readonly<Record<string, number | string>>;
export type Weather = { readonly llamaparse?: Plan; readonly openai?: Plan };

/**
 * Zero; small and irregular; and one in which three calls in ten to LlamaParse fail, so that documents also end `failed`.
 * Half of the calls failing would open the circuit, and then nothing would be called any more.
 */
export const WEATHERS = {
  zero: {},
  irregular: { llamaparse: { latencyMs: 60, jitterMs: 60 }, openai: { latencyMs: 60, jitterMs: 60 } },
  storm: { llamaparse: { latencyMs: 30, jitterMs: 30, errorRate: 0.3 }, openai: { latencyMs: 30, jitterMs: 30 } },
} as const satisfies Record<string, Weather>;
export type WeatherName = keyof typeof WEATHERS;

export type VendorStats = {
  /** How often LlamaParse took these bytes: each time is billed. */
  readonly uploads: Readonly<Record<string, number>>;
  /** Requests for embeddings that were answered: each one is billed. */
  readonly embeds: number;
};

export interface Vendors {
  readonly url: string;
  setWeather(name: WeatherName): Promise<void>;
  weather(): WeatherName;
  /** Makes one vendor slow for a while; `mend` goes back to the weather. */
  slow(vendor: 'llamaparse' | 'openai', plan: Plan): Promise<void>;
  mend(): Promise<void>;
  /** Requests that met the present plan: a call that the ledger calls open may not have been sent yet. */
  met(vendor: 'llamaparse' | 'openai'): Promise<number>;
  stats(): Promise<VendorStats>;
}

export function makeVendors(url: string): Vendors {
  let present: WeatherName = 'zero';
  const put = async (vendor: string, plan: Plan) => {
    const answer = await json('PUT', `${url}/faults/${vendor}`, plan);
    if (answer.status >= 300) throw new Error(`Cannot set a fault: ${JSON.stringify(answer.body)}`);
  };
  const mend = async () => {
    await json('DELETE', `${url}/faults`);
    for (const [vendor, plan] of Object.entries(WEATHERS[present])) await put(vendor, plan);
  };
  return {
    url,
    weather: () => present,
    setWeather: async (name) => {
      present = name;
      await mend();
    },
    slow: put,
    mend,
    met: async (vendor) => {
      const { body } = await call<Record<string, { requests: number } | null>>(`${url}/faults`);
      return body[vendor]?.requests ?? 0;
    },
    stats: async () => {
      const { body } = await call<{
        llamaparse: { uploadsBySha256: Record<string, number> };
        vendors: { openai: { operations: Record<string, Record<string, number>> } };
      }>(`${url}/stats`);
      const embed = body.vendors.openai.operations['embed'] ?? {};
      return { uploads: body.llamaparse.uploadsBySha256, embeds: embed['answered'] ?? 0 };
    },
  };
}

import { seededRandom } from '#kernel/random.ts';
import { days, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { addEvidence, startEvidence } from '#slo/evidence.ts';
import { makeEvidenceModel, STEP } from '#slo/evidence-model.ts';
import { HEALTHY, simulate } from '#slo/simulate.ts';
const model = makeEvidenceModel(objectiveOf());
const rate=Number(process.argv[2]), per=Number(process.argv[3]);
for(let i=0;i<8;i++){const st=startEvidence(model);let was=false;const recent:string[]=[];
for(const r of simulate({...HEALTHY,rate,failing:.002,clumps:{perDay:per,length:seconds(30),share:.4}},days(30),seededRandom(i*101+7))){addEvidence(model,st,r,STEP,r.at);const n=r.good+r.bad;recent.push(`${r.bad}/${n}:${Math.log(st.outages.reduce((a,b)=>a+b,0)).toFixed(0)}`);if(recent.length>16)recent.shift();if(st.alarmed&&!was)console.log(i,(r.at/86400).toFixed(1),recent.join(' '),'rates/day',st.calm.counts.map((c,k)=>(c/st.calm.watched[k]!*86400).toFixed(0)).join(','));was=st.alarmed;}}

import { seededRandom } from '#kernel/random.ts';
import { makeEvidenceModel, STEP } from '#slo/evidence-model.ts';
import { addEvidence, startEvidence } from '#slo/evidence.ts';
import { DEFAULT_ALERTING } from '#slo/objective.ts';
type R = ReturnType<typeof seededRandom>;
const poisson=(r:R,l:number)=>{ if(l>30){ const u=Math.sqrt(-2*Math.log(1-r.next()))*Math.cos(2*Math.PI*r.next()); return Math.max(0,Math.round(l+Math.sqrt(l)*u)); } let k=0,p=Math.exp(-l),s=r.next(); const L=p; let q=1; k=-1; do{k++; q*=r.next();}while(q>L); return k; };
const binom=(r:R,n:number,p:number)=>{let k=0;for(let i=0;i<n;i++) if(r.next()<p)k++; return k;};
const model = makeEvidenceModel({budget:0.02 as never, alerting: DEFAULT_ALERTING});
console.log('shares',[...model.shares].map(x=>x.toFixed(3)).join(' '),'alarm',model.alarm.toFixed(1));
const DAYS=Number(process.argv[2]??30), SEEDS=Number(process.argv[3]??2);
// share(t) schedule: clumps list of [start,end,share]
function run(seed:number, rate:number, base:number, clumpsPerDay:number, clump:{len:number,share:number}|undefined, daysN=DAYS, outage?:{at:number,share:number,len:number}, diurnal=false, batch=0){
  const r=seededRandom(seed); const st=startEvidence(model); let pages=0, was=false; const ticks=Math.round(daysN*86400/STEP); let next=clumpsPerDay>0? -Math.log(1-r.next())*86400/clumpsPerDay:Infinity; let active:{end:number,start:number}[]=[]; let firstFail=-1, detect=-1, cleared=-1; const when:number[]=[];
  let nextBatch = batch>0? -Math.log(1-r.next())*86400/batch: Infinity;
  for(let i=0;i<ticks;i++){ const t0=i*STEP,t1=t0+STEP; 
    while(next<t1){ active.push({start:next,end:next+clump!.len}); next+= -Math.log(1-r.next())*86400/clumpsPerDay; }
    const lam=rate*STEP*(diurnal?1+0.8*Math.sin(2*Math.PI*t0/86400):1);
    const n=process.env['REG']?Math.floor((t1)*rate+1e-9)-Math.floor(t0*rate+1e-9):poisson(r,lam); let bad=0;
    if(active.length){active=active.filter(a=>a.end>t0);}
    const inO = outage && t1>outage.at && t0<outage.at+outage.len;
    if(active.length||inO){ for(let e=0;e<n;e++){ const t=t0+r.next()*STEP; let ok=1-base; for(const a of active) if(t>=a.start&&t<a.end) ok*=1-clump!.share; if(inO&&t>=outage!.at&&t<outage!.at+outage!.len) ok*=1-outage!.share; if(r.next()>=ok){bad++; if(inO&&firstFail<0&&t>=outage!.at) firstFail=t;} } }
    else bad=binom(r,n,base);
    let extra=0; while(nextBatch<t1){extra+=8+Math.floor(r.next()*16); nextBatch+= -Math.log(1-r.next())*86400/batch;}
    addEvidence(model,st,{good:n-bad,bad:bad+extra},STEP,t1 as never);
    if(st.alarmed&&!was){ pages++; when.push(t1); if(outage&&t1>outage.at&&detect<0) detect=t1; }
    if(!st.alarmed&&was&&outage&&t1>outage.at+outage.len&&cleared<0) cleared=t1-outage.at-outage.len;
    was=st.alarmed; }
  return {pages,detect: detect<0?Infinity:detect-(firstFail<0?outage!.at:firstFail),cleared,when,st};
}
const mode=process.argv[4]??'all';
if(mode==='all'||mode==='det'){
 for(const rate of [10,1,0.2,1/60]) for(const share of [1,.5,.3,.2,.1]){
  const d:number[]=[],c:number[]=[]; const M=Number(process.argv[5]??20);
  for(let s=0;s<M;s++){ const x=run(1000+s,rate,0.005,0,undefined,rate<.1?0.6:0.3,{at:(rate<.1?30000:7200)+s*1.7,share,len:rate<.1?14400:9000}); d.push(x.detect); c.push(x.cleared); }
  d.sort((a,b)=>a-b); c.sort((a,b)=>a-b); console.log('detect',rate.toFixed(3),share,'median',d[M>>1]!.toFixed(0),'p90',d[Math.floor(M*.9)]!.toFixed(0),'p95',d[Math.floor(M*.95)]!.toFixed(0),'max',d[M-1]!.toFixed(0),'events',(d[M>>1]!*rate).toFixed(0),'clear',c[M>>1]);
 }}
if(mode==='all'||mode==='fp'){
 const t=performance.now();
 for(const rate of [10,1,0.2,0.02,0.003]){
  const row:string[]=[];
  for(const base of [.005,.01,.02]){ let p=0; for(let s=0;s<SEEDS;s++) p+=run(s+1,rate,base,0,undefined).pages; row.push(`ind${base}:${p/SEEDS}`); }
  for(const perDay of [6,12,36,60]){ let p=0; for(let s=0;s<SEEDS;s++) p+=run(s+1,rate,.002,perDay,{len:30,share:.4}).pages; row.push(`patch${perDay}:${p/SEEDS}`); }
  for(const tot of [.01,.02]) { const perDay=tot/ (30*.4/86400); let p=0; for(let s=0;s<SEEDS;s++) p+=run(s+1,rate,0,perDay,{len:30,share:.4}).pages; row.push(`clump${tot}:${p/SEEDS}`); }
  { let p=0; for(let s=0;s<SEEDS;s++) p+=run(s+1,rate,.002,24,{len:10,share:1}).pages; row.push(`blip24:${p/SEEDS}`); }
  { let p=0; for(let s=0;s<SEEDS;s++) p+=run(s+1,rate,.002,0,undefined,DAYS,undefined,true,rate<.01?2:6).pages; row.push(`batch+diurnal:${p/SEEDS}`); }
  console.log('false',rate,row.join(' '));
 }
 console.log('ms',(performance.now()-t).toFixed(0));
}
if(mode==='dbg'){ const r=seededRandom(5); const st=startEvidence(model); let t=0; for(let i=0;i<6000;i++){t+=5; const n=poisson(r,5/60); let bad=0; if(t>20000) bad=n; addEvidence(model,st,{good:n-bad,bad},STEP,t as never); if(t>19900&&t<20600&&n>0) console.log(t,n,bad,'R',Math.log(st.outages.reduce((a,b)=>a+b,0)).toFixed(1),st.bad,st.alarmed); } }

import time, json, subprocess, sys, os, signal
from datetime import date
from pathlib import Path
import pytest
from sqlalchemy import delete, func, select
from db.tables import daily_price, listing
ROOT=Path(__file__).resolve().parents[2]
@pytest.mark.timeout(400)
def test_year(broker, desk, tables):
    with tables.engine("admin").begin() as c:
        c.execute(delete(daily_price)); c.execute(delete(listing))
    sim=broker(); here=desk(sim)
    t=time.time()
    p=subprocess.Popen([sys.executable,"-m","cli","publicdata","--from","2026-08-03","--to","2026-11-27"],cwd=ROOT,env=here.environment,stdout=subprocess.PIPE,stderr=subprocess.PIPE)
    time.sleep(12); p.kill(); p.wait()
    with tables.engine("reader").connect() as c:
        print("killed at", c.scalar(select(func.count()).select_from(daily_price)), set(r[1] for r in c.execute(select(daily_price.c.day,func.count()).group_by(daily_price.c.day))))
    calls0=len([1 for l in sim.lines("calls") if l["key"]=="datagokr"])
    d=here.stockd("publicdata","--from","2026-08-03","--to","2026-11-27")
    print(d.returncode,d.stdout,d.stderr[-400:], time.time()-t)
    calls=len([1 for l in sim.lines("calls") if l["key"]=="datagokr"])
    with tables.engine("reader").connect() as c:
        n=c.scalar(select(func.count()).select_from(daily_price)); days=c.scalar(select(func.count(func.distinct(daily_price.c.day))))
        print("rows",n,"days",days, set(r[1] for r in c.execute(select(daily_price.c.day,func.count()).group_by(daily_price.c.day))),"calls",calls0,calls)
    d=here.stockd("publicdata","--from","2026-08-03","--to","2026-11-27","--json"); print(d.stdout)

/*
 * stored_tariffs.h -- tariffs that have every structure of the compiled block between them
 * Written for kit_json.h: single quotes.
 */
#ifndef ELECBILL_TEST_STORED_TARIFFS_H
#define ELECBILL_TEST_STORED_TARIFFS_H

#define HEAD "{'elecbill':1,'code':'t','currency':'CNY','zone':'Asia/Shanghai',"

/* clang-format off */
#define TOU \
	"'calendar':{'weekend':['sun'],'days':{'2026-01-01':['holiday','fest'],'2026-01-04':['makeup']}}," \
	"'seasons':{'summer':[['06-01','10-01']],'cold':[['12-15','02-15']]}," \
	"'events':{'hot':[['2026-01-05T10:00:00','2026-01-05T12:00:00'],['2026-02-01','2026-02-02']]}," \
	"'schedules':{'tou':[{'period':'deep','spans':[['12:00','13:00']],'days':['fest']}," \
	"{'period':'peak','event':'hot'}," \
	"{'period':'peak','spans':[['08:00','11:30'],['17:00','22:00']],'season':['summer','*']}," \
	"{'period':'valley','spans':[['23:00','07:00']],'anchor':'start','valid':['2020-01-01',null]}," \
	"{'period':'flat'}]," \
	"'two':[{'period':'on','months':[1,2,3],'not_days':['weekend']},{'period':'off'}]},"
#define PRICES \
	"'values':{'v':{'mul':[{'season':{'summer':2,'*':1}},{'attr':'kv','of':{'10':1.5,'*':1}}]," \
	"'round':{'step':0.0001}}}," \
	"'series':{'spot':[['2020-01-01T00:30:00+08:00',0.3],['2026-01-10T12:00:00+08:00',0.5]]," \
	"'daily':[['2020-01-01',1],['2026-01-15',2]]," \
	"'agent':{'by':'bill_month','points':[['2020-01-01',0.4]]},'rows':'usage'},"

static const char *const stored_tariff[] = {
	/* yearly tiers */
	HEAD "'components':[{'code':'e','kind':'energy','tier':{'scope':'year',"
	"'allowance':[{'attr':'persons','at_least':5,'add':100}],'steps':[{'up_to':200,'price':0.5},"
	"{'up_to':400,'price':0.6,'flat':3},{'price':0.8,'factor':1.1}]}}]}",
	/* periods, prices of every form, series, limits */
	HEAD TOU PRICES
	"'components':[{'code':'e','kind':'energy','name':{'en':'Energy','zh':'E'},'group':'g','schedule':'tou',"
	"'price':{'period':{'peak':{'mul':[{'ref':'v'},{'series':'daily'}]},'*':0.4}},"
	"'tier':{'mode':'adder','scope':'month','order':'per_period','prorate':'days',"
	"'steps':[{'up_to':{'season':{'summer':260,'*':200}},'price':0},{'price':0.3}]}},"
	"{'code':'s','kind':'energy','price':{'add':[{'series':'spot'},{'mul':[1.05,{'series':'rows'}]},"
	"{'series':'agent'}]},'when':{'days':['fest','mon'],'qty':{'import_kwh':{'gt':1}},"
	"'attr':{'kv':['10','35'],'persons':{'ge':1}},"
	"'ratio':{'of':'import_kwh','to':'attr:contract_kva','ge':0}}},"
	"{'code':'p','kind':'percent','percent':8,'base':['g'],'share_above':{'import_kwh':5},'per_line':true},"
	"{'code':'m','kind':'minimum','amount':10,'scope':'month'},"
	"{'code':'x','kind':'maximum','amount':5000,'amount_incl':6000}]}",
	/* demands, losses, power factor, tiers in order of time and by kW, tax */
	HEAD TOU "'round':{'quantity':{'step':0.01},'line':{'step':0.01,'mode':'half_even'},'total':{'step':0.05}},"
	"'demands':{'top':{'agg':'top_mean','n':3,'distinct':'day','window':60},"
	"'main':{'window':30,'slide':15,'schedule':'tou','period':['peak'],'season':['*'],'event':'hot',"
	"'floor_kw':5,'cap_kw':1000,'floor_contract_pct':40,'ratchet':{'lookback':11,'percent':80}},"
	"'kva':{'quantity':'import_kva','per':'month','months':[1,2]}},"
	"'losses':[{'code':'c','kind':'copper','kva':'attr:contract_kva','load_kw':4.3},"
	"{'code':'i','kind':'constant','kva':'attr:contract_kva','minus':'attr:contract_kw','factor':0.01,"
	"'hours':720,'sign':-1,'cap_pct':10},{'code':'f','kind':'percent','percent':3}],"
	"'components':[{'code':'e','kind':'energy','tier':{'order':'time','scope':'bill',"
	"'steps':[{'up_to':100,'unit':'kwh_per_kw','demand':'main','steps':[{'up_to':50,'price':1},{'price':2}]},"
	"{'price':0.9}]}},{'code':'r','kind':'reactive','price':0.1},"
	"{'code':'d','kind':'demand','demand':'main','price':39,"
	"'tier':{'steps':[{'up_to':50,'unit':'kw','price':30},{'price':40}]},"
	"'factor_if':[{'if':{'season':['summer']},'factor':0.9,'round':{'step':0.1}}]},"
	"{'code':'k','kind':'demand','demand':'top','price':5},"
	"{'code':'c','kind':'capacity','price':25,'prorate':'days'},"
	"{'code':'f','kind':'power_factor','base':['e','d'],'per_line':true,'table':[[0.95,-0.5],[0.9,0],[0.1,5]]},"
	"{'code':'l','kind':'power_factor','base':['e'],'linear':{'target':0.8,'step':0.01,'percent':-0.1,'cap':0.95}},"
	"{'code':'t','kind':'percent','percent':13,'vat':13}]}",
	/* export, items, quantities of all kinds */
	HEAD TOU "'net':{'mode':'offset_kwh','order':['peak','flat'],'excess':'carry','true_up_price':0.2},"
	"'components':[{'code':'e','kind':'energy','schedule':'tou','price':{'period':{'peak':1,'*':0.5}}},"
	"{'code':'x','kind':'credit','price':0.3},"
	"{'code':'n','kind':'energy','quantity':'net_kwh','price':0.01,'offset':false},"
	"{'code':'u','kind':'custom','quantity':'meters','price':2,'each':{'min':1,'max':9}},"
	"{'code':'v','kind':'custom','quantity':'import_kwh','tier':{'mode':'volume','by':'export_kwh',"
	"'steps':[{'up_to':5,'price':1},{'price':2}]}},"
	"{'code':'b','kind':'fixed','price':3,'per':'day','valid':['2026-01-10','2026-02-01']}]}",
	/* a charging site */
	HEAD "'month_day':5,'year_start':'12-01',"
	"'schedules':{'tou':[{'period':'a','spans':[['10:00','15:00']]},{'period':'b'}]},"
	"'components':[{'code':'e','kind':'energy','lane':'l','price':{'period':{'a':1,'b':0.5}},'step_wh':100,"
	"'when':{'kwh':{'le':20},'time':['09:00','18:00'],'kw':{'ge':0},'seconds':{'lt':90000}}},"
	"{'code':'f','kind':'energy','lane':'l','tier':{'scope':'session','steps':[{'up_to':10,'price':0.6},"
	"{'price':0.7}]}},{'code':'s','kind':'session_flat','price':0.5,'vat':20},"
	"{'code':'t','kind':'session_time','price':1.2,'step_s':900},"
	"{'code':'i','kind':'idle','price':0.5,'per':'minute','step_s':60,'grace_s':900,'cap':30},"
	"{'code':'r','kind':'reserve_time','price':3,'when':{'reservation':'held'}},"
	"{'code':'m','kind':'minimum','amount':1,'scope':'session'}]}",
	/* two versions; scopes of a day and of an interval */
	"{'elecbill':1,'versions':[{'version':1,'valid':[null,'2026-01-10'],'tariff':" HEAD
	"'components':[{'code':'e','kind':'energy','price':0.5},"
	"{'code':'b','kind':'fixed','price':30,'per':'month','prorate':'days'}]}},"
	"{'version':2,'valid':['2026-01-10',null],'tariff':" HEAD
	"'components':[{'code':'e','kind':'energy','tier':{'scope':'day','steps':[{'up_to':5,'price':0.5},"
	"{'price':0.8}]}},{'code':'i','kind':'energy','tier':{'scope':'interval','mode':'package','size':2,"
	"'free':1},'price':1}]}}]}",
};
/* clang-format on */

#define NTARIFFS ((int) (sizeof(stored_tariff) / sizeof(stored_tariff[0])))

#endif /* ELECBILL_TEST_STORED_TARIFFS_H */

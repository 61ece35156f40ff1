-- 80_label.sql: words for people, in Chinese and English, for the codes that programs use

CREATE FUNCTION elecbill.label(code text, lang text DEFAULT 'zh') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(
		(SELECT CASE lang WHEN 'zh' THEN w.zh WHEN 'en' THEN w.en END
		 FROM (VALUES
			-- states of a bill
			('draft', '草稿', 'draft'), ('held', '暂缓', 'held'), ('issued', '未缴费', 'issued'),
			('partly_paid', '部分缴费', 'partly paid'), ('paid', '已缴费', 'paid'),
			('overdue', '已逾期', 'overdue'), ('cancelled', '已作废', 'cancelled'),
			('written_off', '已核销', 'written off'),
			-- kinds of a bill
			('opening', '期初账单', 'opening bill'), ('regular', '电费账单', 'electricity bill'),
			('final', '销户账单', 'final bill'), ('correction', '更正账单', 'correction'),
			('credit', '退费账单', 'credit note'),
			-- states of a run, a batch, an exception
			('new', '未开始', 'not begun'), ('rating', '计费中', 'rating'),
			('review', '待审核', 'to be reviewed'), ('issuing', '出账中', 'issuing'),
			('done', '完成', 'done'), ('pending', '待处理', 'pending'),
			('offcycle', '临时账期', 'off-cycle'), ('parked', '搁置', 'parked'),
			('retried', '重新计费', 'queued again'), ('resolved', '已解决', 'resolved'),
			('noted', '已提示', 'noted'), ('warn', '提示', 'warning'), ('error', '错误', 'error'),
			-- time-of-use periods
			('sharp', '尖', 'sharp peak'), ('peak', '峰', 'peak'), ('flat', '平', 'flat'),
			('valley', '谷', 'valley'), ('deep_valley', '深谷', 'deep valley'),
			-- kinds of a line
			('energy', '电量电费', 'energy'), ('fixed', '固定费用', 'fixed charge'),
			('custom', '其他费用', 'other charge'), ('percent', '附加费', 'percentage'),
			('minimum', '最低电费', 'minimum'), ('maximum', '封顶减免', 'maximum'),
			('rounding', '尾差', 'rounding'),
			-- units
			('kwh', '千瓦时', 'kWh'), ('bill', '每单', 'per bill'), ('day', '天', 'day'),
			('month', '月', 'month'), ('unit', '个', 'piece'), ('money', '元', 'money'),
			-- quality of what a line rests on
			('actual', '实抄', 'actual'), ('estimated', '估计', 'estimated'),
			('missing', '有缺失', 'readings missing'),
			-- why an account has no bill, or one to look at
			('no_agreement', '无用电协议', 'no agreement'),
			('no_installation', '未装表', 'no meter installed'),
			('no_readings', '无抄表数据', 'no readings'),
			('no_boundary_reading', '缺少起止抄表', 'no reading at the boundary'),
			('register_backwards', '表码倒走', 'register ran backwards'),
			('no_tariff', '无有效电价', 'no tariff in force'),
			('no_price', '无公布价格', 'a price is not published'),
			('tariff_change', '账期内电价变更', 'tariff changes in the period'),
			('earlier_period_unbilled', '前期未出账', 'an earlier period is not billed'),
			('later_period_billed', '后期已出账', 'a later period is billed already'),
			('already_billed', '已出账', 'billed already'),
			('missing_readings', '抄表数据有缺失', 'readings are missing'),
			('estimated_readings', '抄表间隔过长,分时电量为估计', 'readings too far apart'),
			-- alarms and their states
			('usage_limit', '用电量超限', 'usage above its limit'),
			('collector_silent', '采集器失联', 'collector not heard'),
			('meter_silent', '电表无数据', 'meter not heard'),
			('meter_foreign', '表号不符', 'another meter answers'),
			('meter_known', '表号恢复相符', 'the right meter answers'),
			('order_unconfirmed', '通断电未确认', 'order not seen done'),
			('spool_full', '采集缓存已满', 'spool is full'), ('spool_ok', '采集缓存恢复', 'spool has room'),
			('breaker_open', '电表暂停轮询', 'meter is left out for a while'),
			('breaker_closed', '电表恢复轮询', 'meter is read again'),
			('port_lost', '端口断开', 'port is gone'), ('port_open', '端口恢复', 'port is open'),
			('clock_set', '时钟被调整', 'clock was set'),
			('started', '采集器启动', 'collector started'), ('stopping', '采集器停止', 'collector stops'),
			('config_loaded', '配置已加载', 'configuration loaded'), ('config_refused', '配置有误,未采用', 'configuration refused'),
			('events_lost', '部分事件丢失', 'events were lost'),
			('energy_while_off', '停电后仍有用电', 'energy while disconnected'),
			-- commands and their states
			('read', '召测', 'read now'), ('relay_read', '查询继电器', 'look at the relay'),
			('disconnect', '停电', 'disconnect'), ('reconnect', '复电', 'reconnect'),
			('queued', '排队', 'queued'), ('sent', '已下发', 'handed out'), ('acked', '已执行', 'done'),
			('failed', '失败', 'failed'), ('expired', '已过期', 'expired'),
			('open', '未恢复', 'open'), ('closed', '已恢复', 'over'), ('info', '通知', 'notice')
		 ) AS w(code, zh, en) WHERE w.code = label.code),
		code));
COMMENT ON FUNCTION elecbill.label(text, text) IS
'word for a code (state of a bill, period, kind, quality, exception, alarm, event, command) in Chinese (zh) or English (en); what it does not know comes back as it is';

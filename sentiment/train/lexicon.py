"""Words that name a kind of trouble by themselves: each is an example of its category for the risk head.

Written for this project. A word here is evidence, not a verdict: in a drill or a denial the words around it weigh too.
"""

from collections.abc import Mapping
from typing import Final

from sentiment.sentiment import CATEGORIES, RiskCategory
from sentiment.train.examples import NEGATIVE, Example, target_of

SOURCE: Final = "lexicon"

RISK_WORDS: Final[Mapping[RiskCategory, str]] = {
    "food_safety": "吃出蟑螂 吃出虫子 吃出异物 吃出头发 吃出钢丝 喝出苍蝇 食物中毒 上吐下泻 集体腹泻 菌落总数超标 大肠菌群超标 农药残留超标 "
    "添加剂超标 防腐剂超标 过期食材 变质发霉 发霉长毛 后厨老鼠 后厨脏乱 使用过期原料 篡改保质期 异味发酸 塑化剂 检出沙门氏菌 非法添加 肉发臭",
    "product_safety": "起火 自燃 爆炸 冒烟 鼓包 漏电 触电 烧伤 烫伤 刹车失灵 方向盘失控 断轴 气囊没弹出 甲醛超标 重金属超标 致癌物 割伤孩子 "
    "零件脱落被误吞 电池过热 充电时烧了 召回存在安全隐患的产品 碎裂伤人 皮肤红肿过敏 烂脸 一氧化碳泄漏 掉漆铅超标",
    "data_privacy": "用户数据泄露 个人信息泄露 手机号被卖 贩卖用户信息 隐私被偷看 摄像头被黑 监听聊天 过度收集个人信息 强制索取权限 数据库被拖库 "
    "身份证照片外泄 聊天记录泄露 未经同意收集人脸 定位被追踪 骚扰电话知道我订单 违规收集使用个人信息 账号被盗",
    "finance_legal": "被起诉 败诉 被判赔偿 被列为被执行人 账户被冻结 资产被查封 债券违约 逾期未兑付 亏损扩大 净利润下滑 营收下降 股价暴跌 跌停 退市风险 "
    "财务造假 审计意见无法表示 商誉减值 破产重整 破产清算 资金链断裂 股权被司法拍卖 侵权赔偿 集体诉讼 评级下调 停业 欠款未还",
    "regulatory": "被立案调查 被罚款 行政处罚 责令整改 责令停产停业 被约谈 抽检不合格 被通报 吊销许可证 警示函 监管函 被下架整改 违规被查 暂停上市 "
    "没收违法所得 被列入经营异常名录 被曝光通报批评 检查发现违法 被要求限期改正 反垄断调查",
    "people": "董事长被带走 高管被抓 总裁辞职 创始人失联 高管内斗 拖欠工资 欠薪 裁员 被迫离职 强制加班 员工猝死 性骚扰员工 辱骂员工 职场霸凌 员工罢工 "
    "员工讨薪 克扣提成 不交社保 管理层被查 高管受贿 店员打人 保安打人 员工偷拍 欠员工年终奖",
    "service": "客服不理人 踢皮球 退款不到账 拒绝退货 推诿扯皮 排队三小时 系统崩溃 登不上去 发错货 物流丢件 态度恶劣 售后太差 维修拖了一个月 迟迟不发货 "
    "订单被取消 用几天就坏 质量差 货不对板 乱扣费 电话打不通 超时两小时 承诺不兑现 卡顿闪退 断网",
    "fraud": "卖假货 虚假宣传 以次充好 跑路 卷款跑路 预付卡退不了 传销 非法集资 庞氏骗局 提现困难 诈骗 套路贷 价格欺诈 先涨价再打折 大数据杀熟 刷单 "
    "虚构交易 假冒伪劣 诱导消费 关门失联 骗取押金 押金不退 缺斤少两 注水 夸大功效 拉人头",
    "rumor": "网传 谣言 不实信息 恶意造谣 辟谣 纯属捏造 传闻倒闭 网传视频不属实 未经证实的消息 已报警追究造谣者 群里疯传 谣传 摆拍造假视频 以讹传讹 "
    "消息不实 网上流传的聊天记录 系谣言",
    "values": "辱华 歧视女性 歧视地域 广告低俗 冒犯消费者 消费灾难 侮辱英烈 物化女性 代言人塌房 代言人吸毒 代言人偷税 虐待动物 排放污水 污染河流 偷排 "
    "地图错误 歧视残疾人 歧视农村人 擦边营销 抄袭民族文化 宣扬封建迷信 种族歧视 道歉声明引众怒 抵制",
}


def lexicon_examples() -> list[Example]:
    """Each word as a text of its own."""
    return [
        Example(target_of(word, None, [], []), NEGATIVE, SOURCE, frozenset({category}))
        for category in CATEGORIES
        for word in RISK_WORDS[category].split()
    ]

"""Latin words that are spelt as a brand's pinyin or initials might be, and mean something else wherever they stand.

Such a spelling is not looked for. Initials never hold i, u or v, so that words with these need not be listed.
"""

from typing import Final

_LIKE_PINYIN: Final = """
age agenda angel angle anna bake banana band bandage bandana bang bangle banana bean bending biang bike bin bing bingo bite
bongo cabin cafe cage cake canada canal candice canoe change chance
cheng china chinese chang cute damage dame dana dance
dandelion dangle danger date dating dean debate den dengue diana dina dine dining dingo
dong dose duke duncan dune eating ella
emma ending fade fake fame fang fate fan fence finance gaga game gang gate gaza gene genie gong guide haha handing hang
hanna hate hence henge honey human huge jean judge june june kale kong lada lake lala lame lance landing lane language
late like lime lina line linen lining lisa long luke made mama man manage mane manga mango mangle mate media men mending
menu mile mine mingle mining minute mike mite muse mute name nana nice nike nina nine nose nude nuke page pagan pale
panama panda pane pang papa pea pending pence penance penguin pile pine ping pingpong pike piano police pong pudding rang
range renew rule ruin safe sage sake sale same sane sang satan sauna sending sense shanghai she side sing site size
song spa sudan sushi susan tale tame tangle tango take tape ten tide tile time titan tong tone tune use wage wake wan
wander wane wanna want wine wing woman women yes zone
"""
_WORDS: Final = """
ace act add ado age ago aha ale all and ant any ape apt are arm art ash ask ate awe axe bad bag ban bar bat bay bed bee
beg bet bob bog bot bow box boy bra bro bye cab cam can cap car cat cow coy cry dad dam day den dew doc doe dog dot dry
ear eat ebb ego elf elm end era eye fab fan far fat fax fee few fly foe fog for fox fry gag gap gas gay gel gem get god
got gym had ham has hat hay hen her hey hoe hop hot how jab jam jar jaw jet job jog joy key lab lad lag lap law lax lay
led leg let log lot low mad man map mat may men met mob mom mop nap net new nod nor not now oak oar oat odd off oft old
one orb ore owe owl own pad pal pan par pat paw pay pea pen per pet pod pop pot pro ram ran rap rat raw ray red rob rod
rot row rye sad sag sap sat saw say sea see set sex she shy sky sly sob son sow soy spa spy tab tag tan tap tar tax tea
ten the toe tom ton too top toy try wag war was wax way web wed wet who why woe won wow yak yam yes yet zoo
able aged also area arms army away baby back ball band bank bare base bath bear beat been beer bell belt best blog blow
boat body bomb bond bone book boom born boss both bowl cake call calm came camp card care case cash cast cell chat chef
clan clay coal coat code cold come cook cool cope copy core cost crab crew crop dare dark data date dawn days dead deal
dear debt deck deep deny desk door down draw drop each earn ease east easy edge else exam face fact fall fame fans fare
farm fast fate fear feed feel feet fell felt flag flat flow folk food fool foot form fort free from game gang gate gear
gene goal goat goes gold golf gone good gray grew grow hack half hall hand hang hard harm hate head hear heat help here
hero hold hole holy home hope host joke keen keep kept knee knew know lack lady lake lamb lamp land lane last late lead
leaf lean left lens less load loan lock logo long look lord lose loss lost made make male mall many mark mask mass mate
meal mean meat meet mega memo mesh mess mode mood moon more most name near neck need news next nope norm nose note okay
once only open oral pace pack page palm pant park part pass past path peak pear peel plan play plot poem poet pole pool
poor pork port pose post pray prep race rank rare rate read real rear rely rent rest road rock role roll roof room root
rope rose safe sake sale salt same sand scan seat seed seek seem seen self sell send sent shop shot show slow snow soap
sock soft sold sole some song soon sort span spot star stay stem step stop tale talk tall tank tape team tear tech tell
tend tent term test text than that them then they tone took tool torn town trap tray tree ward warm wash week well went
were west what when whom wood word wore work yard yeah year zero zone
"""
_ABBREVIATIONS: Final = """
abc abs acg ads adhd aed aka amd apec apk app apr asap asmr atm bat bba bbc bbl bbq bbs bdsm bff bgm blm bmw bot brb brt
bts cad cba cbd cbs ccd cctv cdc cdma cdn ceo cet cfa cfo cmo cnc cnn cod coo cos cpa cpb cpc cpdd cpm cps cpr cpu crm css
cto dat dec dha dhl dna dnf doc dota dps drm ecmo edm eda emba emo ems epa erp esg etc etf exe fa faq fbc fda feb ffm
flac fof fps ftp fyp gaap gba gdp gel gmat gmp gmt gpa gpm gps gpt gre gsm hbo hdd hdr hgh hhh hhhh hkd hmd hr html htc
http https hwa jan java jeep jpeg jpg jpy json kfc kol koc kpl kpop ktv lbs lcd led lgbt lmao log lol lpg lpl lsp ltd mac
mba mbps mcn mlb mmo moba mom mp3 mp4 mpa mph msg msn mtg nasa nato nba nbc nfc nfl nft ngo nhk npc nsa nsfw ocr oct
oem odm ohm oled omg omo opec opp oppo ota otc ott pbs pcb pcr pdf pgc phd php plc pmp png poc pop pos ppm ppt ps4 ps5 psd
psp psn pta ptsd pxe qas qps ram rar rgb rmb rna rom rpg rss sars scp sdk seo sgs skf skg sku slr sms sns soc soho sony
sop sos spa spf sql ssd ssl ssr stem tba tbc tbd tcl tcp tel tga tls tnt toefl tops tpo tpp tsmc tts ttl txt wav wba wbc
wcba who wow wps wta wtf wto www wwe wwf xbox xls xml xxl xxs yhwh ysl zara
awsl bdjw bhys cnm cxy dbq ddd dddd ddl djll dssq gkd jms jhm kdl kswl kyx ljyy lmn mmp nmsl nsdd nss pljj plmm pyq
qswl sjb srds ssfd szd tmd tql tqm wdnmd wsl xdm xfx xgg xjj xjm xmsl xswl ybb yjjc yyds yygq yysy zqbw zqsg zwj zzz
"""

LIKE_PINYIN: Final = frozenset(_LIKE_PINYIN.split())
LIKE_INITIALS: Final = frozenset((*_WORDS.split(), *_ABBREVIATIONS.split()))

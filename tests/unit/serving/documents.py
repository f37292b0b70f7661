"""PMML documents written for these tests."""

from __future__ import annotations

TREE = """<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
<Header/>
<DataDictionary>
<DataField name="dep_delay" optype="continuous" dataType="double"/>
<DataField name="carrier" optype="categorical" dataType="string"><Value value="UA"/><Value value="B6"/></DataField>
<DataField name="weekend" optype="categorical" dataType="boolean"/>
<DataField name="minutes" optype="continuous" dataType="double"/></DataDictionary>
<TreeModel functionName="regression" missingValueStrategy="defaultChild">
<MiningSchema><MiningField name="dep_delay"/><MiningField name="carrier"/><MiningField name="weekend"/>
<MiningField name="minutes" usageType="target"/></MiningSchema><Node id="0" score="0" defaultChild="none"><True/>
<Node id="zero" score="0"><SimplePredicate field="dep_delay" operator="equal" value="0"/></Node>
<Node id="united" score="10"><SimplePredicate field="carrier" operator="equal" value="UA"/></Node>
<Node id="weekend" score="20"><SimplePredicate field="weekend" operator="equal" value="true"/></Node>
<Node id="late" score="30"><SimplePredicate field="dep_delay" operator="greaterThan" value="5"/></Node>
<Node id="none" score="99"><True/></Node>
</Node></TreeModel></PMML>
"""
"""Takes the first node that fits; a missing `dep_delay` is not zero: it makes the score 99, not 0."""

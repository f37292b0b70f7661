"""What a PMML file is made of, read without the JVM: refused before PMML4S sees it when it would not be scored whole.

PMML4S skips elements that it does not know, in silence: a predicate that is skipped makes a wrong answer, not an error.
So every element must be in the table below. The table is PMML4S 1.5.8's own list (`org.pmml4s.xml.ElemTags`) without
the models that it cannot score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat  # a document type, and every entity with it, is refused where it begins

from scheduler.serving.faults import ModelRefusedError

DESCRIPTIVE: Final = frozenset(
    {"Extension", "Header", "MiningBuildTask", "ModelExplanation", "ModelStats", "ModelVerification"}
)
"""Elements that change no score, with all that is in them."""

MODELS: Final = frozenset(
    {
        *("AnomalyDetectionModel", "ClusteringModel", "GeneralRegressionModel", "MiningModel", "NaiveBayesModel"),
        *("NearestNeighborModel", "NeuralNetwork", "RegressionModel", "RuleSetModel", "Scorecard"),
        *("SupportVectorMachineModel", "TreeModel"),
    }
)

ELEMENTS: Final = MODELS | frozenset(
    {
        *("Aggregate", "AnyDistribution", "Apply", "Array", "Attribute", "BaseCumHazardTables", "BaselineCell"),
        *("BaselineStratum", "BayesInput", "BayesInputs", "BayesOutput", "CategoricalPredictor", "Categories"),
        *("Category", "Characteristic", "Characteristics", "Cluster", "ClusteringField", "Coefficient", "Coefficients"),
        *("ComparisonMeasure", "Comparisons", "ComplexPartialScore", "CompoundPredicate", "CompoundRule", "Con"),
        *("Constant", "Covariances", "CovariateList", "DataDictionary", "DataField", "Decision", "DecisionTree"),
        *("Decisions", "DefineFunction", "DerivedField", "Discretize", "DiscretizeBin", "EventValues", "FactorList"),
        *("False", "FieldColumnPair", "FieldRef", "GaussianDistribution", "INT-Entries", "INT-SparseArray", "Indices"),
        *("InlineTable", "InstanceField", "InstanceFields", "Interval", "KNNInput", "KNNInputs", "KohonenMap"),
        *("LinearKernelType", "LinearNorm", "LocalTransformations", "MapValues", "MatCell", "Matrix"),
        *("MeanClusterDistances", "MiningField", "MiningSchema", "MissingValueWeights", "NeuralInput", "NeuralInputs"),
        *("NeuralLayer", "NeuralOutput", "NeuralOutputs", "Neuron", "Node", "NormContinuous", "NormDiscrete"),
        *("NumericPredictor", "Output", "OutputField", "PCell", "PCovCell", "PCovMatrix", "PMML", "PPCell", "PPMatrix"),
        *("PairCounts", "ParamMatrix", "Parameter", "ParameterField", "ParameterList", "Partition"),
        *("PoissonDistribution", "PolynomialKernelType", "Predictor", "PredictorTerm", "REAL-Entries"),
        *("REAL-SparseArray", "RadialBasisKernelType", "Regression", "RegressionTable", "RuleSelectionMethod"),
        *("RuleSet", "ScoreDistribution", "Segment", "Segmentation", "SigmoidKernelType", "SimplePredicate"),
        *("SimpleRule", "SimpleSetPredicate", "SupportVector", "SupportVectorMachine", "SupportVectors", "Target"),
        *("TargetValue", "TargetValueCount", "TargetValueCounts", "TargetValueStat", "TargetValueStats", "Targets"),
        *("TextIndex", "TextIndexNormalization", "TrainingInstances", "TransformationDictionary", "True"),
        *("UniformDistribution", "Value", "VariableWeight", "VectorDictionary", "VectorFields", "VectorInstance"),
        *("binarySimilarity", "chebychev", "cityBlock", "euclidean", "jaccard", "minkowski", "row", "simpleMatching"),
        *("squaredEuclidean", "tanimoto"),
    }
)

_NAMESPACE: Final = "http://www.dmg.org/PMML-"


@dataclass(slots=True, kw_only=True)
class _Scan:
    parser: expat.XMLParserType
    depth: int = 0
    skipping: int = 0
    """Depth of the element whose content is not looked at; 0 when there is none."""
    models: list[str] = field(default_factory=list)

    def start(self, tag: str, _attributes: object) -> None:
        self.depth += 1
        namespace, _, name = tag.rpartition(" ")
        if self.depth == 1 and name != "PMML":
            raise ModelRefusedError(f"the root element is <{name}>, not <PMML>")
        if self.skipping:
            return
        foreign = bool(namespace) and not namespace.startswith(_NAMESPACE)
        if foreign or (name not in ELEMENTS and name not in DESCRIPTIVE):
            line = self.parser.CurrentLineNumber
            raise ModelRefusedError(f"line {line}: element <{name}> is not supported; scores would be wrong without it")
        if name in DESCRIPTIVE or name == "row":  # a row's elements are named as the table's author likes
            self.skipping = self.depth
        if name in MODELS:
            self.models.append(name)

    def end(self, _tag: str) -> None:
        if self.skipping == self.depth:
            self.skipping = 0
        self.depth -= 1


def check(path: Path) -> tuple[str, ...]:
    """The model elements of the file in their order; ModelRefusedError names the line and what is wrong there."""
    parser = expat.ParserCreate(namespace_separator=" ")
    scan = _Scan(parser=parser)
    parser.StartElementHandler = scan.start
    parser.EndElementHandler = scan.end
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: encodings that expat does not know
        raise ModelRefusedError(f"the PMML is not well-formed XML: {error}") from error
    if not scan.models:
        raise ModelRefusedError("the PMML has no model")
    return tuple(scan.models)


def _refuse_document_type(name: str, *_: object) -> None:
    raise ModelRefusedError(f"the PMML declares a document type ({name}); it may hold no DOCTYPE and no entities")

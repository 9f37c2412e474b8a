// Written by cuda-kernels.py; not to be edited.

/**
 * Kernels of ONNX Runtime's CUDA provider for ai.onnx opset 18, one a line: the operator, the version it has the
 * signature of, the types of its inputs and outputs (* for any number of the last), and what each may be.
 *
 * Source: docs/OperatorKernels.md of github.com/microsoft/onnxruntime, commit
 * 001d12d2623fd411ce0f83d05abb5e82304a3389, the rows of operators that stand in transformers and their gradients.
 * Names, versions and types agree with the kernels the 1.28.0 library has in its symbols.
 */
export const cudaKernelTable = `
Abs 13 T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Add 14 T,T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
And 7 T,T T1 T=bool T1=bool
Cast 13 T1 T2 T1=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 T2=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Ceil 13 T T T=float64,float32,float16
Clip 13 T,T,T T T=float64,float32,float16,int64,int8,uint64,uint8
Concat 13 T* T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
ConstantOfShape 9 T1 T2 T1=int64 T2=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Conv 11 T,T,T T T=float64,float32,float16
ConvTranspose 11 T,T,T T T=float64,float32,float16
Cos 7 T T T=float64,float32,float16
CumSum 14 T,T2 T T=float64,float32,float16,int32,int64,uint32,uint64 T2=int32,int64
Div 14 T,T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Dropout 13 T,T1,T2 T,T2 T=bfloat16,float64,float32,float16 T1=bfloat16,float64,float32,float16 T2=bool
Einsum 12 T* T T=float64,float32,float16
Elu 6 T T T=float64,float32,float16
Equal 13 T,T T1 T=bool,float64,float32,float16,int32,int64,uint32,uint64 T1=bool
Erf 13 T T T=bfloat16,float64,float32,float16
Exp 13 T T T=bfloat16,float64,float32,float16
Expand 13 T,int64 T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Flatten 13 T T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Floor 13 T T T=float64,float32,float16
Gather 13 T,Tind T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 Tind=int32,int64
GatherElements 13 T,Tind T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 Tind=int32,int64
GatherND 13 T,int64 T T=bfloat16,bool,float64,float32,float16,int64
Gemm 13 T,T,T T T=bfloat16,float64,float32,float16
Greater 13 T,T T1 T=float64,float32,float16,int32,int64,uint32,uint64 T1=bool
GreaterOrEqual 16 T,T T1 T=float64,float32,float16,int32,int64,uint32,uint64 T1=bool
Identity 16 T T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
IsInf 10 T1 T2 T1=float64,float32 T2=bool
IsNaN 13 T1 T2 T1=bfloat16,float64,float32,float16 T2=bool
LayerNormalization 17 T,T,T T,U,U T=bfloat16,float64,float32,float16 U=float32
LeakyRelu 16 T T T=float64,float32,float16
Less 13 T,T T1 T=float64,float32,float16,int32,int64,uint32,uint64 T1=bool
LessOrEqual 16 T,T T1 T=float64,float32,float16,int32,int64,uint32,uint64 T1=bool
Log 13 T T T=float64,float32,float16
LogSoftmax 13 T T T=float64,float32,float16
MatMul 13 T,T T T=bfloat16,float64,float32,float16
Max 13 T* T T=bfloat16,float64,float32,float16,int32,int64,uint32,uint64
Min 13 T* T T=bfloat16,float64,float32,float16,int32,int64,uint32,uint64
Mod 13 T,T T T=bfloat16,float64,float32,float16,int32,int64,uint32,uint64
Mul 14 T,T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Neg 13 T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8
NonZero 13 T int64 T=bool,float32,float16,int32,int64,uint8
Not 1 T T T=bool
OneHot 11 T1,T2,T3 T3 T1=int32,int64 T2=int32,int64 T3=float32,float16,int64
Or 7 T,T T1 T=bool T1=bool
Pad 18 T,int64,T,Tind T T=bool,float64,float32,float16
Pow 15 T,T1 T T=bfloat16,float64,float32,float16,int32,int64 T1=bfloat16,float64,float32,float16,int32,int64
Range 11 T,T,T T T=float64,float32,int16,int32,int64
Reciprocal 13 T T T=float64,float32,float16
ReduceL1 18 T,int64 T T=float64,float32,float16,int32
ReduceL2 18 T,int64 T T=float64,float32,float16,int32
ReduceMax 18 T,int64 T T=float64,float32,float16,int32,int64
ReduceMean 18 T,int64 T T=float64,float32,float16,int32
ReduceMin 18 T,int64 T T=float64,float32,float16,int32,int64,int8,uint8
ReduceProd 18 T,int64 T T=float64,float32,float16,int32
ReduceSum 13 T,int64 T T=bfloat16,float64,float32,float16,int32,int64
ReduceSumSquare 18 T,int64 T T=float64,float32,float16
Relu 14 T T T=bfloat16,float64,float32,float16
Reshape 14 T,int64 T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
ScatterElements 18 T,Tind,T T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 Tind=int32,int64
ScatterND 18 T,int64,T T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Shape 15 T T1 T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 T1=int64
Sigmoid 13 T T T=bfloat16,float64,float32,float16
Sign 13 T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Sin 7 T T T=float64,float32,float16
Size 13 T T1 T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,string,uint16,uint32,uint64,uint8 T1=int64
Slice 13 T,Tind,Tind,Tind,Tind T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8 Tind=int32,int64
Softmax 13 T T T=bfloat16,float64,float32,float16
Softplus 1 T T T=float64,float32,float16
Softsign 1 T T T=float64,float32,float16
Split 18 T,int64 T* T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Sqrt 13 T T T=bfloat16,float64,float32,float16
Squeeze 13 T,int64 T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Sub 14 T,T T T=bfloat16,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Sum 13 T* T T=bfloat16,float64,float32,float16
Tanh 13 T T T=bfloat16,float64,float32,float16
Tile 13 T,T1 T T=bfloat16,float64,float32,float16,int32,int64 T1=int64
TopK 11 T,int64 T,I I=int64 T=float64,float32,float16,int32,int64
Transpose 13 T T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Trilu 14 T,int64 T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Unsqueeze 13 T,int64 T T=bfloat16,bool,float64,float32,float16,int16,int32,int64,int8,uint16,uint32,uint64,uint8
Where 16 B,T,T T B=bool T=bfloat16,float64,float32,float16,int32,int64,uint8
Xor 7 T,T T1 T=bool T1=bool
`;
